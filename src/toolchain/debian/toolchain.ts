import { mkdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { ScriptcellError } from "../../errors.ts";
import { newInstallation, publish } from "../installation.ts";
import type { ToolchainLayout } from "../layout.ts";
import type { OwnToolchainRecord } from "../own.ts";
import { probeCompiler } from "../probe.ts";
import type { StepContext } from "../progress.ts";
import { tryCompile } from "../try-compile.ts";
import { isAtLeast, MINIMUM_RUSTC } from "../version.ts";
import { type Apt, privateApt } from "./apt.ts";
import { downloadPackages } from "./download.ts";
import { type DebianPackage, resolvePackages, showPackages } from "./packages.ts";
import { relocateToolchain } from "./relocate.ts";
import type { DebianSystem } from "./system.ts";
import { unpackPackages } from "./unpack.ts";

/** Newest first: testing carries a current rustc, stable one that is at most two years old. */
const SUITES = ["testing", "stable"];

/** The compiler, its standard libraries, wasm-component-ld, and what lets them run from a prefix. */
const PACKAGES = ["rustc", "libstd-rust-dev", "libstd-rust-dev-wasm32", "rust-llvm", "patchelf"];

/**
 * Installs Debian's rustc with the wasm targets into a directory of its own and publishes it.
 * @throws ScriptcellError `SETUP_FAILED`.
 */
export async function installDebianToolchain(system: DebianSystem, context: StepContext): Promise<void> {
  const { layout, onProgress, signal } = context;
  const { apt, suite, packages } = await choosePackages(system, context);
  await assertSpace(layout, packages);
  const files = await downloadPackages(apt, packages, onProgress, signal);
  const directory = await newInstallation(layout);
  try {
    onProgress({ step: "unpack", message: `unpacking to ${directory}` });
    await unpackPackages(files, directory, signal);
    // Scripts have no use for the target without an operating system, and it takes 100 MB.
    await rm(join(directory, "usr/lib/rustlib/wasm32-unknown-unknown"), { recursive: true, force: true });
    const rustc = await relocateToolchain(directory, system.architecture, signal);
    onProgress({
      step: "verify",
      message: `compiling a small program for wasm32-wasip1 and wasm32-wasip2 with ${rustc}`,
    });
    const trial = join(directory, "trial");
    await mkdir(trial);
    await tryCompile(rustc, trial, signal);
    await rm(trial, { recursive: true });
    const { version, versionVerbose, host, sysroot } = await probeCompiler(rustc);
    const record: OwnToolchainRecord = {
      directory,
      rustc,
      rustcBytes: (await stat(rustc)).size,
      version,
      versionVerbose,
      host,
      sysroot,
      packages: Object.fromEntries(packages.map((entry) => [entry.name, entry.version])),
      suite,
    };
    await publish(layout.toolchainPointer, record);
  } catch (error) {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

interface Choice {
  apt: Apt;
  suite: string;
  packages: readonly DebianPackage[];
}

/** The first suite and archive that have a complete and consistent toolchain. */
async function choosePackages(
  { archives, keyring, architecture }: DebianSystem,
  context: StepContext,
): Promise<Choice> {
  const { layout, onProgress, signal } = context;
  const failures: unknown[] = [];
  for (const suite of SUITES) {
    for (const uri of archives) {
      try {
        onProgress({ step: "metadata", message: `reading the package lists of Debian ${suite} from ${uri}` });
        const apt = await privateApt(join(layout.work, suite), [{ uri, suite }], keyring, architecture);
        await apt.run("apt-get", ["update", "--quiet", "--error-on=any"], { signal });
        return { apt, suite, packages: await toolchainPackages(apt, signal) };
      } catch (error) {
        signal?.throwIfAborted();
        failures.push(error);
        onProgress({ step: "metadata", message: `  not from there: ${lastLine(error)}` });
      }
    }
  }
  throw new ScriptcellError(
    "SETUP_FAILED",
    `no Debian archive that this system names could give a rustc (${failures.map(lastLine).join("; ")}): check the network and the proxy of apt, then run \`scriptcell setup\` again`,
    { cause: new AggregateError(failures) },
  );
}

/** apt says what went wrong at the end of what it says. */
function lastLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (
    message
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^[EW]: /, "") ?? message
  );
}

async function toolchainPackages(
  apt: Apt,
  signal: AbortSignal | undefined,
): Promise<readonly DebianPackage[]> {
  const found = await showPackages(apt, PACKAGES, { signal });
  // rust-llvm names the lld of the LLVM that rustc was built with.
  const linkers = found
    .flatMap((entry) => (entry.name === "rust-llvm" ? entry.depends : []))
    .filter((name) => /^lld-\d+$/.test(name));
  const packages = await resolvePackages(apt, [...PACKAGES, ...linkers], { signal });
  const versionOf = (name: string) => packages.find((entry) => entry.name === name)?.version ?? "";
  const version = versionOf("rustc");
  const mixed = PACKAGES.filter((name) => name.startsWith("libstd-") && versionOf(name) !== version);
  if (mixed.length > 0)
    throw new ScriptcellError(
      "SETUP_FAILED",
      `rustc ${version} and ${mixed.join(", ")} are of different versions: the archive is being updated, try again later`,
    );
  if (!isAtLeast(version, MINIMUM_RUSTC))
    throw new ScriptcellError(
      "SETUP_FAILED",
      `rustc ${version} is older than ${MINIMUM_RUSTC}: try again with another archive`,
    );
  return packages;
}

async function assertSpace(layout: ToolchainLayout, packages: readonly DebianPackage[]): Promise<void> {
  const needed = packages.reduce((sum, entry) => sum + entry.bytes + entry.installedBytes, 0);
  const { bavail, bsize } = await statfs(layout.base);
  const free = bavail * bsize;
  if (free >= needed) return;
  const inMegabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new ScriptcellError(
    "SETUP_FAILED",
    `the set-up needs ${inMegabytes(needed)} in ${layout.base}, where ${inMegabytes(free)} are free: make room, or set XDG_CACHE_HOME to another disk`,
  );
}
