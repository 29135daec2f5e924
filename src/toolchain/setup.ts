import { rm } from "node:fs/promises";
import { ScriptcellError } from "../errors.ts";
import { findBubblewrap, forgetBubblewrap } from "../jail/bubblewrap.ts";
import { ownBubblewrap } from "../jail/own-bubblewrap.ts";
import { runCommand } from "./command.ts";
import { installDebianBubblewrap } from "./debian/bubblewrap.ts";
import { type DescribeSystem, debianSystem } from "./debian/system.ts";
import { installDebianToolchain } from "./debian/toolchain.ts";
import { findUnnamed, TARGET } from "./find.ts";
import { removeLeftovers } from "./installation.ts";
import { toolchainLayout } from "./layout.ts";
import { withLock } from "./lock.ts";
import { ownToolchain } from "./own.ts";
import { findOnPath } from "./path.ts";
import { isOurs, makePrivateDirectory } from "./private-dir.ts";
import { probeRustc } from "./probe.ts";
import type { OnProgress, StepContext } from "./progress.ts";
import { findRustup, RUSTUP_DIRECTORY, rustupServer, rustupServerAnswers } from "./rustup.ts";
import type { Toolchain } from "./toolchain.ts";
import { unsupported } from "./unsupported.ts";
import { isAtLeast, MINIMUM_RUSTC } from "./version.ts";

/** How to set up. */
export interface SetupOptions {
  /** Where scriptcell's own toolchain goes, about 900 MB with downloads while it is set up. */
  cacheDir: string;
  /** Called with each step, one line for people. Default: silent. */
  onProgress?: OnProgress;
  /** Stops the set-up; what was downloaded is used by the next one. */
  signal?: AbortSignal;
}

/**
 * Makes sure that there is a toolchain and, on Linux, a bubblewrap: what is there already is used; else
 * `rustup target add` where rustup reaches its server; else Debian's packages, unpacked below the cache directory.
 * Nothing outside the cache directory is changed, except by rustup in its own home. Safe to kill, to repeat and to run twice
 * at once: a toolchain is found either complete or not at all.
 *
 * A rustc that is named by `RUSTC` or an option is not looked at: what it lacks, its owner has to add.
 * @throws ScriptcellError `SETUP_UNSUPPORTED` with the commands for this system, or `SETUP_FAILED`; the signal's reason.
 */
export async function setupToolchain(options: SetupOptions): Promise<Toolchain> {
  return await setupWith(options, debianSystem);
}

/** As {@link setupToolchain}, with Debian packages from the archives that `system` names. */
export async function setupWith(options: SetupOptions, system: DescribeSystem): Promise<Toolchain> {
  const { cacheDir, onProgress = () => undefined, signal } = options;
  signal?.throwIfAborted();
  const layout = toolchainLayout(cacheDir);
  const context: StepContext = { layout, onProgress, signal };
  const present = await presentToolchain(cacheDir);
  if (present !== undefined && (await bubblewrapIsSettled(cacheDir))) {
    onProgress({ step: "done", message: `rustc ${present.version} is there already: ${present.rustc}` });
    return present;
  }
  await prepareDirectory(layout.base);
  const work = async (): Promise<Toolchain> => {
    await removeLeftovers(layout, await publishedDirectories(cacheDir));
    await ensureToolchain(cacheDir, system, context);
    await ensureBubblewrap(cacheDir, system, context);
    await rm(layout.work, { recursive: true, force: true });
    const toolchain = await findUnnamed(cacheDir);
    onProgress({ step: "done", message: `rustc ${toolchain.version} is ready: ${toolchain.rustc}` });
    return toolchain;
  };
  // Where there is no flock there is no apt either: rustup then does all the work, and looks after itself.
  if ((await findOnPath("flock")).length === 0) return await work();
  const onWait = () =>
    onProgress({
      step: "wait",
      message: `another set-up is running (it holds ${layout.lock}): waiting for it`,
    });
  return await withLock(layout.lock, { signal, onWait }, work);
}

async function presentToolchain(cacheDir: string): Promise<Toolchain | undefined> {
  try {
    return await findUnnamed(cacheDir);
  } catch (error) {
    if (error instanceof ScriptcellError) return undefined;
    throw error;
  }
}

/** Whether a set-up has nothing to do about bubblewrap: it works, or it is there and the system forbids it. */
async function bubblewrapIsSettled(cacheDir: string): Promise<boolean> {
  if (process.platform !== "linux") return true;
  if ((await findBubblewrap({ cacheDir })).ok) return true;
  return (await ownBubblewrap(cacheDir)) !== undefined;
}

async function publishedDirectories(cacheDir: string): Promise<readonly string[]> {
  const [toolchain, bubblewrap] = await Promise.all([ownToolchain(cacheDir), ownBubblewrap(cacheDir)]);
  return [...(toolchain?.roots ?? []), ...(bubblewrap === undefined ? [] : [bubblewrap.directory])];
}

async function prepareDirectory(base: string): Promise<void> {
  try {
    await makePrivateDirectory(base);
  } catch (cause) {
    throw new ScriptcellError(
      "SETUP_FAILED",
      `${base} cannot be made: make it writable, or set XDG_CACHE_HOME to a directory that is`,
      { cause },
    );
  }
  if (await isOurs(base)) return;
  throw new ScriptcellError(
    "SETUP_FAILED",
    `${base} belongs to another user or can be written by others: \`chmod go-w\` it, or set XDG_CACHE_HOME to a directory of your own`,
  );
}

async function ensureToolchain(
  cacheDir: string,
  system: DescribeSystem,
  context: StepContext,
): Promise<void> {
  const present = await presentToolchain(cacheDir);
  if (present !== undefined) {
    context.onProgress({
      step: "check",
      message: `rustc ${present.version} is there already: ${present.rustc}`,
    });
    return;
  }
  const whyNotRustup = await addTargetWithRustup(cacheDir, context);
  if (whyNotRustup === undefined) return;
  context.onProgress({ step: "rustup", message: `not with rustup: ${whyNotRustup}` });
  const debian = await system(context.signal);
  if (typeof debian === "string") throw await unsupported(`${whyNotRustup}; ${debian}`);
  await installDebianToolchain(debian, context);
}

/** Adds the targets to the active rustup toolchain; returns why not where that was not possible. */
async function addTargetWithRustup(
  cacheDir: string,
  { onProgress, signal }: StepContext,
): Promise<string | undefined> {
  const rustup = await findRustup();
  if (rustup === undefined) return "rustup is not on PATH";
  const rustc = (await findOnPath("rustc"))[0];
  const version =
    rustc === undefined
      ? ""
      : await probeRustc(rustc, cacheDir).then(
          (probe) => probe.version,
          () => "",
        );
  if (!isAtLeast(version, MINIMUM_RUSTC))
    return `its active toolchain is ${version || "missing"}, and ${MINIMUM_RUSTC} is the oldest that will do (\`rustup update\`)`;
  onProgress({
    step: "rustup",
    message: `asking ${rustupServer()} for ${TARGET}, to be added to rustup's active toolchain`,
  });
  if (!(await rustupServerAnswers(signal))) return `${rustupServer()} does not answer`;
  try {
    // Stalled downloads are given up; a slow one may take its time.
    await runCommand(rustup, ["target", "add", TARGET, "wasm32-wasip2"], {
      signal,
      cwd: RUSTUP_DIRECTORY,
      env: { RUSTUP_AUTO_INSTALL: "0" },
      timeoutMs: 15 * 60_000,
    });
    await findUnnamed(cacheDir);
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}

/** bubblewrap is worth having and not worth failing for: where it cannot be had, `doctor` and `jail: "required"` say so. */
async function ensureBubblewrap(
  cacheDir: string,
  system: DescribeSystem,
  context: StepContext,
): Promise<void> {
  if (await bubblewrapIsSettled(cacheDir)) return;
  try {
    const debian = await system(context.signal);
    if (typeof debian === "string")
      throw new ScriptcellError(
        "SETUP_UNSUPPORTED",
        `${debian}: install your distribution's package \`bubblewrap\``,
      );
    await installDebianBubblewrap(debian, context);
  } catch (error) {
    context.signal?.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    context.onProgress({ step: "check", message: `no bubblewrap, so cells will have no jail: ${why}` });
  }
  forgetBubblewrap();
}
