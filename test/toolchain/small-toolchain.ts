import type { SmallPackage, Suites } from "./archive.ts";

/**
 * The packages of a toolchain with the same names, places and dependencies as Debian's, whose programs are shell scripts:
 * a loader that starts what it is given, a patchelf that says yes, and a rustc that writes the preamble of a module.
 * While the file `hold` exists, rustc does not finish compiling.
 */
export function smallToolchain(version: string, hold: string): readonly SmallPackage[] {
  const rustc = `#!/bin/sh
sysroot=$(dirname "$(dirname "$(readlink -f "$0")")")
case "$*" in
  -vV) printf 'rustc ${version} (small)\\nbinary: rustc\\nhost: small-unknown-linux-gnu\\nrelease: ${version}\\n'; exit ;;
  "--print sysroot") echo "$sysroot"; exit ;;
esac
while [ -e '${hold}' ]; do sleep 0.1; done
layer='\\001\\000\\000\\000'
while [ $# -gt 0 ]; do
  case "$1" in
    --target) [ "$2" = wasm32-wasip2 ] && layer='\\015\\000\\001\\000' ;;
    -o) out=$2 ;;
  esac
  shift
done
printf "\\000asm$layer" > "$out"
`;
  const std = (target: string) => ({ [`usr/lib/rustlib/${target}/lib/libstd-0123456789abcdef.rlib`]: "" });
  const script = (body: string) => `#!/bin/sh\n${body}\n`;
  return [
    {
      name: "rustc",
      version,
      section: "rust",
      depends: `libc6 (>= 2.34), libstd-rust-dev (= ${version}), gcc, libc-dev`,
      files: { "usr/bin/rustc": rustc, "usr/share/doc/rustc/README": "a manual" },
    },
    { name: "libstd-rust-dev", version, section: "rust", depends: "libstd-rust-9" },
    {
      name: "libstd-rust-9",
      version,
      section: "libs",
      depends: "libc6, libllvm9 | libllvm8",
      files: { "usr/lib/multiarch/librustc_driver-1.so": "" },
    },
    { name: "libllvm9", version: "1:9-1", section: "libs", files: { "usr/lib/multiarch/libLLVM.so.9": "" } },
    {
      name: "libstd-rust-dev-wasm32",
      version,
      section: "libdevel",
      files: { ...std("wasm32-wasip1"), ...std("wasm32-wasip2"), ...std("wasm32-unknown-unknown") },
    },
    {
      name: "rust-llvm",
      version,
      section: "devel",
      depends: "libc6, lld-9, clang-9",
      files: {
        "usr/bin/rust-lld": { link: "lld-9" },
        "usr/lib/rustlib/small-unknown-linux-gnu/bin/wasm-component-ld": script("exit 0"),
      },
    },
    {
      name: "lld-9",
      version: "1:9-1",
      section: "devel",
      depends: "libllvm9",
      files: { "usr/bin/lld-9": script("exit 0") },
    },
    {
      name: "libc6",
      version: "2.99-1",
      section: "libs",
      files: { "usr/lib/multiarch/ld.so": script('shift 2\nexec "$@"') },
    },
    {
      name: "patchelf",
      version: "0.1-1",
      section: "utils",
      depends: "libc6",
      files: { "usr/bin/patchelf": script("exit 0") },
    },
    // What a compiler's package depends on and WebAssembly does not need.
    { name: "gcc", version: "1-1", section: "devel", files: { "usr/bin/gcc": script("exit 0") } },
    { name: "clang-9", version: "1-1", section: "devel", files: { "usr/bin/clang-9": script("exit 0") } },
  ];
}

/** A bubblewrap that only says its version. */
export const SMALL_BUBBLEWRAP: SmallPackage = {
  name: "bubblewrap",
  version: "0.9-1",
  section: "admin",
  depends: "libc6",
  files: { "usr/bin/bwrap": "#!/bin/sh\necho bubblewrap 0.9\n" },
};

/** Testing with this toolchain, and the system's own suite with bubblewrap. */
export const smallSuites = (version: string, hold: string): Suites => ({
  testing: smallToolchain(version, hold),
  own: [SMALL_BUBBLEWRAP, { name: "libc6", version: "2.36-1", section: "libs" }],
});
