/** A module that may not run. The message says what is wrong, where, and what to do. */
export class ModuleRefused extends Error {
  override readonly name = "ModuleRefused";
  /** Where the cause stands, in bytes from the start of the module; undefined where it is the module as a whole. */
  readonly offset: number | undefined;

  constructor(problem: string, remedy: string, options: ErrorOptions & { offset?: number } = {}) {
    const where = options.offset === undefined ? "" : ` (byte 0x${options.offset.toString(16)})`;
    super(`module refused: ${problem}${where}; ${remedy}`, options);
    this.offset = options.offset;
  }
}
