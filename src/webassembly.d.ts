/**
 * The part of the WebAssembly JavaScript API that scriptcell uses. TypeScript ships these types only inside the DOM
 * library, which would put a browser's globals into a Node library.
 */
declare namespace WebAssembly {
  type ValueType = "i32" | "i64" | "f32" | "f64" | "v128" | "externref" | "anyfunc";
  type ImportValue = ((...args: never[]) => unknown) | Global | Memory | Table;
  type ModuleImports = Record<string, ImportValue>;
  type Imports = Record<string, ModuleImports>;
  type Exports = Record<string, unknown>;

  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer> | ArrayBuffer);
    static exports(module: Module): { name: string; kind: string }[];
    static imports(module: Module): { module: string; name: string; kind: string }[];
    static customSections(module: Module, name: string): ArrayBuffer[];
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Table {
    constructor(descriptor: { element: ValueType; initial: number; maximum?: number });
    readonly length: number;
    get(index: number): unknown;
    grow(elements: number): number;
  }
  class Global<Type extends ValueType = ValueType> {
    constructor(descriptor: { value: Type; mutable?: boolean }, value?: Type extends "i64" ? bigint : number);
    value: Type extends "i64" ? bigint : number;
  }
  class RuntimeError extends Error {}
  class CompileError extends Error {}
  class LinkError extends Error {}
  function validate(bytes: Uint8Array<ArrayBuffer> | ArrayBuffer): boolean;
}
