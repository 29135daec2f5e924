"""Runs WebAssembly modules in Wasmtime and tells what fuel they used.

Reads one request per line from stdin and answers each with one line on stdout, both JSON. Ends with its input.
"""

import base64
import json
import os
import sys
import tempfile

import wasmtime

PREVIEW1 = "wasi_snapshot_preview1"
GRACE = 2**62
"""Fuel for the instantiation, which is no part of what is measured."""


def main() -> None:
    config = wasmtime.Config()
    config.consume_fuel = True
    config.cranelift_opt_level = "none"
    config.max_wasm_stack = 1 << 20
    engine = wasmtime.Engine(config)
    for line in sys.stdin:
        try:
            answer = run(engine, json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def run(engine, request):
    module = wasmtime.Module(engine, base64.b64decode(request["module"]))
    store = wasmtime.Store(engine)
    store.set_limits(memory_size=request["memoryBytes"])
    with tempfile.TemporaryDirectory() as directory:
        store.set_wasi(wasi(request, directory))
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        linker.allow_shadowing = True
        seed(linker, base64.b64decode(request["random"]))
        store.set_fuel(GRACE)
        instance = linker.instantiate(store, module)
        calls = []
        for name in request["calls"]:
            fuel = int(request["fuel"])
            store.set_fuel(fuel)
            end = call(store, instance.exports(store)[name])
            calls.append({"end": end, "fuelUsed": str(fuel - store.get_fuel())})
        del instance, linker, store
        return {"calls": calls, "stdout": written(directory, "stdout"), "stderr": written(directory, "stderr")}


def wasi(request, directory):
    stdin = os.path.join(directory, "stdin")
    with open(stdin, "wb") as file:
        file.write(base64.b64decode(request["stdin"]))
    config = wasmtime.WasiConfig()
    config.argv = ["script"]
    config.stdin_file = stdin
    config.stdout_file = os.path.join(directory, "stdout")
    config.stderr_file = os.path.join(directory, "stderr")
    return config


def seed(linker, stream):
    """Makes `random_get` give these bytes, one after the other."""
    at = 0

    def random_get(caller, pointer, length):
        nonlocal at
        if at + length > len(stream):
            raise ValueError("the guest asked for more random bytes than the request has")
        caller["memory"].write(caller, stream[at : at + length], pointer)
        at += length
        return 0

    i32 = wasmtime.ValType.i32()
    kind = wasmtime.FuncType([i32, i32], [i32])
    linker.define_func(PREVIEW1, "random_get", kind, random_get, access_caller=True)


def call(store, function):
    """How it ended: `returned`, `exit N`, or the name of a trap."""
    try:
        function(store)
        return "returned"
    except wasmtime.ExitTrap as exit:
        return f"exit {exit.code}"
    except wasmtime.Trap as trap:
        return trap.trap_code.name.lower().replace("_", "-")


def written(directory, name):
    with open(os.path.join(directory, name), "rb") as file:
        return base64.b64encode(file.read()).decode()


main()
