/**
 * Why scriptcell itself could not do what was asked. A guest that fails is a value in a result and never one of these.
 * Branch on the code; messages are for people and may change.
 */
export type ScriptcellErrorCode =
  /** An option, capability or limit is malformed, unknown, or above the operator's ceiling. */
  | "INVALID_OPTIONS"
  /** No rustc was found. */
  | "RUSTC_MISSING"
  /** A rustc was found but it has no `wasm32-wasip1` standard library. */
  | "TARGET_MISSING"
  /** A rustc was found but it is older than scriptcell supports. */
  | "RUSTC_TOO_OLD"
  /** Installing the toolchain failed. */
  | "SETUP_FAILED"
  /** scriptcell cannot install a toolchain on this system by itself. */
  | "SETUP_UNSUPPORTED"
  /** rustc could not be started, or failed in a way that says nothing about the script. */
  | "COMPILER_FAILED"
  /** `jail: "required"` and no jail can be had here. */
  | "JAIL_UNAVAILABLE"
  /** A mount cannot be granted: it does not exist, is too broad, or this platform cannot confine it. */
  | "MOUNT_REFUSED"
  /** `execute` was given a hash that the store does not hold. */
  | "MODULE_NOT_FOUND"
  /** Every cell is busy and the queue is full; or a thousand scripts wait to be compiled. */
  | "OVERLOADED"
  /** A cell could not be started, or broke the protocol without a guest to blame. */
  | "CELL_FAILED"
  /** The executor was closed. */
  | "EXECUTOR_CLOSED"
  /** The cache directory could not be read or changed by an explicit cache operation. */
  | "STORE_FAILED";

/** The one error class of this library. The message says what happened and then what to do. */
export class ScriptcellError extends Error {
  override readonly name = "ScriptcellError";
  /** What went wrong, for programs. */
  readonly code: ScriptcellErrorCode;

  constructor(code: ScriptcellErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
