"""Runs each module named on the command line in Wasmtime, without fuel and with it, in turn, and prints the milliseconds of each run as JSON."""

import json
import os
import sys
import time

import wasmtime

WARM_UP = 2
ROUNDS = 9


def load(path, metered):
    config = wasmtime.Config()
    config.consume_fuel = metered
    engine = wasmtime.Engine(config)
    module = wasmtime.Module.from_file(engine, path)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()

    def run():
        store = wasmtime.Store(engine)
        wasi = wasmtime.WasiConfig()
        wasi.stdout_file = os.devnull
        store.set_wasi(wasi)
        if metered:
            store.set_fuel(2**62)
        start = linker.instantiate(store, module).exports(store)["_start"]
        before = time.thread_time()
        start(store)
        return (time.thread_time() - before) * 1000

    return run


def measure(path):
    plain, metered = load(path, False), load(path, True)
    runs = [(plain(), metered()) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    return {"plain": [one for one, _ in runs], "metered": [other for _, other in runs]}


print(json.dumps([measure(path) for path in sys.argv[1:]]))
