/** The bytes are not a module that this reader takes: malformed, or with something that it does not know. */
export class WasmFormatError extends Error {
  override readonly name = "WasmFormatError";
  /** Where, in bytes from the start of the module. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}
