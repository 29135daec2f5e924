const Errno = { SUCCESS: 0, BADF: 8, NOSYS: 52 } as const;

/** The least of WASI preview 1 that a program needs which prints: nothing is checked, and random bytes are zeros. */
export interface BarePreview1 {
  imports: WebAssembly.ModuleImports;
  /** Has to be called with the guest's memory before the guest begins. */
  bind(memory: WebAssembly.Memory): void;
  /** What was printed so far. */
  output(): Uint8Array;
}

/** For one run of `module`. */
export function barePreview1(module: WebAssembly.Module): BarePreview1 {
  const output: Uint8Array[] = [];
  let memory: WebAssembly.Memory | undefined;
  const view = (): DataView => new DataView(memory?.buffer ?? new ArrayBuffer(0));
  const writeNothing = (count: number, size: number): number => {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return Errno.SUCCESS;
  };
  const answered: WebAssembly.ModuleImports = {
    args_sizes_get: writeNothing,
    environ_sizes_get: writeNothing,
    random_get: () => Errno.SUCCESS,
    fd_prestat_get: () => Errno.BADF,
    fd_write(_fd: number, vectors: number, count: number, written: number) {
      const data = view();
      let total = 0;
      for (let vector = vectors; vector < vectors + count * 8; vector += 8) {
        const address = data.getUint32(vector, true);
        const length = data.getUint32(vector + 4, true);
        output.push(new Uint8Array(data.buffer.slice(address, address + length)));
        total += length;
      }
      data.setUint32(written, total, true);
      return Errno.SUCCESS;
    },
  };
  const imports: WebAssembly.ModuleImports = {};
  for (const item of WebAssembly.Module.imports(module)) {
    if (item.kind === "function") imports[item.name] = answered[item.name] ?? (() => Errno.NOSYS);
  }
  return {
    imports,
    bind: (guestMemory) => {
      memory = guestMemory;
    },
    output() {
      const [only = new Uint8Array(0)] = output;
      return output.length > 1 ? Buffer.concat(output) : only;
    },
  };
}
