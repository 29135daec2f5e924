import { describe, expect, it } from "vitest";
import { DEFAULT_COMPILE_LIMITS } from "../../src/compile/compile-limits.ts";
import { type Confinement, confinedRustc, rustcPaths } from "../../src/compile/jail.ts";
import type { Workspace } from "../../src/compile/workspace.ts";
import type { Toolchain } from "../../src/toolchain/toolchain.ts";

const toolchain: Toolchain = {
  rustc: "/opt/rust/bin/rustc",
  version: "1.97.1",
  versionVerbose: "rustc 1.97.1",
  host: "x86_64-unknown-linux-gnu",
  sysroot: "/opt/rust",
  targets: ["wasm32-wasip1"],
  env: { LD_LIBRARY_PATH: "/opt/rust/lib" },
  roots: ["/opt/rust/lib/rustlib", "/opt/rust"],
  origin: "option",
};

const workspace: Workspace = {
  root: "/tmp/w",
  source: "/tmp/w/source",
  out: "/tmp/w/out",
  scratch: "/tmp/w/scratch",
  scriptName: "script.rs",
  outName: "out",
  scratchName: "scratch",
  moduleName: "script.wasm",
  depInfoName: "script.d",
  [Symbol.asyncDispose]: async () => undefined,
};

function confinement(version: string | null, setpriv?: string): Confinement {
  return {
    bubblewrap:
      version === null
        ? null
        : { path: "/usr/bin/bwrap", version, origin: "PATH", env: { LD_LIBRARY_PATH: "/of/bwrap" } },
    tools: { prlimit: "/usr/bin/prlimit", setpriv },
    limits: { ...DEFAULT_COMPILE_LIMITS, wallTimeMs: 10_000, memoryBytes: 2_000_000_000 },
  };
}

/** The arguments that follow each occurrence of a flag. */
function following(args: readonly string[], flag: string, count: number): string[][] {
  return args.flatMap((arg, i) => (arg === flag ? [args.slice(i + 1, i + 1 + count)] : []));
}

describe("in the jail", () => {
  const { file, args, env } = confinedRustc(toolchain, ["--flag"], confinement("0.8.0"), workspace);

  it("each process is limited before anything else happens", () => {
    expect(file).toBe("/usr/bin/prlimit");
    const limits = args.slice(0, args.indexOf("--"));
    expect(limits).toEqual(expect.arrayContaining(["--as=2000000000", "--cpu=41:42", "--core=0"]));
    expect(limits.some((limit) => limit.startsWith("--fsize="))).toBe(true);
  });

  it("only the toolchain and the script can be read, outer directories mounted before inner ones", () => {
    expect(following(args, "--ro-bind", 2)).toEqual([
      ["/opt/rust", "/opt/rust"],
      ["/opt/rust/lib/rustlib", "/opt/rust/lib/rustlib"],
      ["/tmp/w/source", "/script"],
    ]);
    expect(args).not.toContain("--proc");
    expect(args).not.toContain("--dev");
  });

  it("only the results' directory and a bounded scratch can be written", () => {
    expect(following(args, "--bind", 2)).toEqual([["/tmp/w/out", "/out"]]);
    expect(following(args, "--size", 3).map((rest) => rest.slice(1))).toEqual([["--tmpfs", "/scratch"]]);
    expect(following(args, "--remount-ro", 1)).toEqual([["/"]]);
  });

  it("an older bubblewrap, which cannot bound a tmpfs, gets a directory of which each file is bounded", () => {
    const older = confinedRustc(toolchain, [], confinement("0.6.2"), workspace).args;
    expect(older).not.toContain("--tmpfs");
    expect(following(older, "--bind", 2)).toContainEqual(["/tmp/w/scratch", "/scratch"]);
  });

  it("no namespace, capability, session or variable of the host is left", () => {
    for (const flag of ["--unshare-all", "--die-with-parent", "--clearenv"]) expect(args).toContain(flag);
    expect(following(args, "--cap-drop", 1)).toEqual([["ALL"]]);
    expect(following(args, "--setenv", 1).flat().sort()).toEqual([
      "LD_LIBRARY_PATH",
      "MALLOC_ARENA_MAX",
      "RUSTC_BOOTSTRAP",
      "RUSTC_ICE",
      "TMPDIR",
    ]);
  });

  it("bubblewrap's own variables are for bubblewrap alone", () => {
    expect(env).toEqual({ LD_LIBRARY_PATH: "/of/bwrap" });
    expect(following(args, "--setenv", 2)).toContainEqual(["LD_LIBRARY_PATH", "/opt/rust/lib"]);
  });

  it("rustc comes last, with its flags", () => {
    expect(args.slice(-3)).toEqual(["--", "/opt/rust/bin/rustc", "--flag"]);
  });
});

describe("without a jail", () => {
  it("rustc has no variable but its own, not even its toolchain's, and dies with this process", () => {
    const { args, env, cwd } = confinedRustc(
      toolchain,
      ["--flag"],
      confinement(null, "/usr/bin/setpriv"),
      workspace,
    );
    expect(args.slice(args.indexOf("--"))).toEqual([
      "--",
      "/usr/bin/setpriv",
      "--pdeathsig",
      "KILL",
      "--",
      "/opt/rust/bin/rustc",
      "--flag",
    ]);
    expect(Object.keys(env).sort()).toEqual(["MALLOC_ARENA_MAX", "RUSTC_BOOTSTRAP", "RUSTC_ICE", "TMPDIR"]);
    expect(cwd).toBe("/tmp/w/source");
  });

  it("rustc runs without setpriv too, bounded in processor time", () => {
    const { args } = confinedRustc(toolchain, [], confinement(null), workspace);
    expect(args.slice(args.indexOf("--"))).toEqual(["--", "/opt/rust/bin/rustc"]);
    expect(args).toContain("--cpu=41:42");
  });

  it("rustc is told no path of this machine", () => {
    expect(JSON.stringify(rustcPaths(confinement(null), workspace))).not.toContain("/tmp");
  });
});
