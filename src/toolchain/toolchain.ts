/** Where a toolchain was found. */
export type ToolchainOrigin = "option" | "RUSTC" | "PATH" | "scriptcell";

/** A rustc that can compile scripts. */
export interface Toolchain {
  /** Absolute path of the rustc executable (or of the wrapper that starts it). */
  rustc: string;
  /** `1.97.1`. */
  version: string;
  /** Output of `rustc -vV`, whole: part of every store key. */
  versionVerbose: string;
  /** Host triple, `x86_64-unknown-linux-gnu`. */
  host: string;
  /** Absolute path of the sysroot. */
  sysroot: string;
  /** wasm targets whose standard library is installed. */
  targets: readonly string[];
  /** Absolute path of the linker to pass as `-C linker=`; absent where rustc's own default works. */
  linker?: string;
  /**
   * The whole environment that rustc and its linker need; add nothing of the host's. Empty for scriptcell's own toolchain.
   * A rustup toolchain finds its libraries through /proc/self/exe, so where /proc is not mounted it needs `LD_LIBRARY_PATH`.
   */
  env: Readonly<Record<string, string>>;
  /**
   * Directories and files that rustc and its linker read: all that a compile jail has to show, read-only, each at its own path.
   * For scriptcell's own toolchain the one prefix; else the compiler, its rustlib directory and the shared libraries.
   * A path may be a symbolic link: show what it points to, at the path given here.
   */
  roots: readonly string[];
  origin: ToolchainOrigin;
}
