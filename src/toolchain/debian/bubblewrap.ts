import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { ScriptcellError } from "../../errors.ts";
import type { OwnBubblewrapRecord } from "../../jail/own-bubblewrap.ts";
import { newInstallation, publish } from "../installation.ts";
import type { StepContext } from "../progress.ts";
import { privateApt } from "./apt.ts";
import { downloadPackages } from "./download.ts";
import { resolvePackages } from "./packages.ts";
import type { DebianSystem } from "./system.ts";
import { unpackPackages } from "./unpack.ts";

/** The C library is the system's own: a copy beside it would not fit the system's dynamic loader. */
const ALWAYS_THERE = new Set(["libc6", "libgcc-s1", "libcrypt1"]);

/**
 * Unpacks the bubblewrap of the system's own release and publishes it. It runs on the system's C library; other
 * libraries that it needs are unpacked with it where the system does not have them.
 * @throws ScriptcellError `SETUP_FAILED`.
 */
export async function installDebianBubblewrap(system: DebianSystem, context: StepContext): Promise<void> {
  const { ownSources: sources, keyring, architecture } = system;
  const { layout, onProgress, signal } = context;
  onProgress({
    step: "metadata",
    message: `reading the package lists of ${sources.map(({ suite }) => suite).join(", ")} for bubblewrap`,
  });
  const apt = await privateApt(join(layout.work, "system"), sources, keyring, architecture);
  await apt.run("apt-get", ["update", "--quiet"], { signal });
  const packages = await resolvePackages(apt, ["bubblewrap"], { signal });
  const program = packages.filter(({ name }) => name === "bubblewrap");
  const libraries = packages.filter(({ name }) => name !== "bubblewrap" && !ALWAYS_THERE.has(name));
  const directory = await newInstallation(layout);
  const withLibraries = async () => {
    await unpackPackages(await downloadPackages(apt, libraries, onProgress, signal), directory, signal);
    const paths = ["usr/lib", "lib"].map((base) => join(directory, base, architecture.multiarch));
    return { packages: [...program, ...libraries], env: { LD_LIBRARY_PATH: paths.join(":") } };
  };
  try {
    onProgress({ step: "unpack", message: `unpacking bubblewrap to ${directory}` });
    await unpackPackages(await downloadPackages(apt, program, onProgress, signal), directory, signal);
    const path = join(directory, "usr/bin/bwrap");
    const alone = { packages: program, env: {} };
    const { packages: needed, env } = (await starts(path, {})) ? alone : await withLibraries();
    if (!(await starts(path, env)))
      throw new ScriptcellError(
        "SETUP_FAILED",
        `${path} does not start: install your distribution's package \`bubblewrap\``,
      );
    const record: OwnBubblewrapRecord = {
      directory,
      path,
      bytes: (await stat(path)).size,
      env,
      packages: Object.fromEntries(needed.map((entry) => [entry.name, entry.version])),
    };
    await publish(layout.bubblewrapPointer, record);
  } catch (error) {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

async function starts(path: string, env: Readonly<Record<string, string>>): Promise<boolean> {
  const { exitCode } = await execa(path, ["--version"], {
    env,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    timeout: 10_000,
  });
  return exitCode === 0;
}
