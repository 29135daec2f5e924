/** What of the standard library stands in for a crate. Each completes "no crate but std is available: …". */
const NO_ASYNC = "there is no async runtime: write plain functions, and a plain `fn main()`";
const JSON_BY_HAND =
  "write JSON with `println!` (escape strings yourself) and take what you read apart with the methods of `str`";
const RANDOM =
  "take a seed from `std::collections::hash_map::RandomState` and write a small generator (xorshift)";
const ERRORS =
  "use `Result<T, Box<dyn std::error::Error>>` with `?`, and `.into()` to make an error of a text";
const TIME =
  "use `std::time::{Duration, Instant, SystemTime}`; a run that reads a clock needs the `clock` grant";
const ONCE = "use `std::sync::LazyLock` or `OnceLock`";
const NO_NETWORK = "there is no network: take what was fetched as input, or from a mounted file";
const NO_SYSTEM =
  "there is no operating system below: use `std::fs`, `std::io` and `std::env` on what the run was granted";
const ITERATORS = "use the methods of `Iterator`, slices and `std::collections`";
const NO_THREADS = "there are no threads: use plain iterators and loops";
const ARGUMENTS = "read `std::env::args()`, or JSON or text from stdin";
const LOGGING = "write to stderr with `eprintln!`";
const SYNC = "use `std::sync` and `std::cell`; there are no threads";
const PATTERNS =
  "use the methods of `str` and `char` (`find`, `split`, `strip_prefix`, `char_indices`), or a hand-written scanner";
const NUMBERS = "use the integer and float types of std; for larger numbers write a small type of your own";

const INSTEAD: ReadonlyMap<string, string> = new Map([
  ...of(JSON_BY_HAND, "serde", "serde_json", "serde_derive", "json", "simd_json"),
  ...of(
    "write and read that format with the methods of `str`",
    "serde_yaml",
    "toml",
    "csv",
    "ron",
    "quick_xml",
  ),
  ...of(
    RANDOM,
    "rand",
    "rand_chacha",
    "rand_core",
    "rand_distr",
    "fastrand",
    "getrandom",
    "oorandom",
    "uuid",
  ),
  ...of(PATTERNS, "regex", "fancy_regex", "nom", "pest", "aho_corasick", "unicode_segmentation", "heck"),
  ...of(TIME, "chrono", "time", "jiff", "humantime"),
  ...of(
    NO_ASYNC,
    "tokio",
    "async_std",
    "smol",
    "futures",
    "futures_util",
    "async_trait",
    "actix",
    "actix_web",
    "axum",
  ),
  ...of(ERRORS, "anyhow", "thiserror", "eyre", "color_eyre", "snafu"),
  ...of(ONCE, "lazy_static", "once_cell"),
  ...of(NO_NETWORK, "reqwest", "hyper", "ureq", "curl", "tungstenite", "url", "native_tls", "rustls"),
  ...of(
    NO_SYSTEM,
    "libc",
    "nix",
    "winapi",
    "windows",
    "tempfile",
    "walkdir",
    "glob",
    "dirs",
    "which",
    "sysinfo",
  ),
  ...of(
    ITERATORS,
    "itertools",
    "indexmap",
    "hashbrown",
    "ahash",
    "fxhash",
    "rustc_hash",
    "smallvec",
    "arrayvec",
    "petgraph",
  ),
  ...of(NO_THREADS, "rayon", "crossbeam", "crossbeam_channel", "num_cpus"),
  ...of(ARGUMENTS, "clap", "structopt", "argh", "pico_args"),
  ...of(LOGGING, "log", "env_logger", "tracing", "tracing_subscriber"),
  ...of(SYNC, "parking_lot", "dashmap", "spin"),
  ...of(
    NUMBERS,
    "num",
    "num_bigint",
    "num_traits",
    "num_integer",
    "num_rational",
    "ordered_float",
    "rust_decimal",
    "bigdecimal",
  ),
  ...of("write the matrix operations that you need on `Vec<f64>`", "ndarray", "nalgebra", "polars", "statrs"),
  ...of(
    "write the encoding or the digest by hand",
    "base64",
    "hex",
    "sha2",
    "md5",
    "sha1",
    "blake3",
    "crc32fast",
  ),
]);

/** Macros and derives that scripts name without the crate that they come from. */
const HOME_OF_MACRO: ReadonlyMap<string, string> = new Map([
  ...home("serde_json", "json"),
  ...home("serde", "Serialize", "Deserialize"),
  ...home("lazy_static", "lazy_static"),
  ...home("anyhow", "anyhow", "bail", "ensure"),
  ...home("thiserror", "Error"),
  ...home("regex", "regex"),
  ...home("log", "trace", "debug", "info", "warn", "error"),
  ...home("clap", "Parser", "Subcommand"),
  ...home("tokio", "select", "join"),
  ...home("itertools", "izip"),
]);

const HOME_OF_ATTRIBUTE: ReadonlyMap<string, string> = new Map([
  ...home("serde", "serde"),
  ...home("thiserror", "error", "from"),
  ...home("clap", "arg", "command", "clap"),
  ...home("async_trait", "async_trait"),
]);

function of(instead: string, ...crates: string[]): Array<[string, string]> {
  return crates.map((crate) => [crate, instead]);
}

function home(crate: string, ...names: string[]): Array<[string, string]> {
  return names.map((name) => [name, crate]);
}

/** What to do without a crate; undefined where scriptcell does not know it. */
export function insteadOfCrate(crate: string): string | undefined {
  return INSTEAD.get(crate);
}

/** The crate that a macro, a derive or an attribute of this name comes from, as far as it is a common one. */
export function crateOfMacro(name: string, kind: "macro" | "derive" | "attribute"): string | undefined {
  return (kind === "attribute" ? HOME_OF_ATTRIBUTE : HOME_OF_MACRO).get(name);
}
