import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { OwnBubblewrapRecord } from "../../jail/own-bubblewrap.ts";
import { newInstallation, publish } from "../installation.ts";
import { type PackageSource, privateApt } from "./apt.ts";
import { downloadPackages } from "./download.ts";
import { resolvePackages } from "./packages.ts";
import type { DebianSystem, StepContext } from "./toolchain.ts";
import { unpackPackages } from "./unpack.ts";

/** The C library is the system's own: a copy beside it would not fit the system's dynamic loader. */
const ALWAYS_THERE = new Set(["libc6", "libgcc-s1", "libcrypt1"]);

/**
 * Unpacks the bubblewrap of the system's own release and publishes it. It runs on the system's C library; other
 * libraries that it needs are unpacked with it where the system does not have them.
 * @throws ScriptcellError `SETUP_FAILED`.
 */
export async function installDebianBubblewrap(
  system: Pick<DebianSystem, "keyring" | "architecture">,
  sources: readonly PackageSource[],
  context: StepContext,
): Promise<void> {
  const { layout, onProgress, signal } = context;
  onProgress({
    step: "metadata",
    message: `reading the package lists of ${sources.map(({ suite }) => suite).join(", ")} for bubblewrap`,
  });
  const apt = await privateApt(join(layout.work, "system"), sources, system.keyring, system.architecture);
  await apt.run("apt-get", ["update", "--quiet"], { signal });
  const resolved = await resolvePackages(apt, ["bubblewrap"], { signal });
  const packages = resolved.filter(
    ({ name, section }) => name === "bubblewrap" || (section === "libs" && !ALWAYS_THERE.has(name)),
  );
  const files = await downloadPackages(apt, packages, onProgress, signal);
  const directory = await newInstallation(layout);
  try {
    const [program, ...libraries] = files;
    if (program === undefined) throw new Error("unreachable: bubblewrap was resolved");
    onProgress({ step: "unpack", message: `unpacking bubblewrap to ${directory}` });
    await unpackPackages([program], directory, signal);
    const path = join(directory, "usr/bin/bwrap");
    const startsAlone =
      (await execa(path, ["--version"], { env: {}, extendEnv: false, reject: false })).exitCode === 0;
    if (!startsAlone) await unpackPackages(libraries, directory, signal);
    const env: Record<string, string> = startsAlone
      ? {}
      : {
          LD_LIBRARY_PATH: ["usr/lib", "lib"]
            .map((base) => join(directory, base, system.architecture.multiarch))
            .join(":"),
        };
    await execa(path, ["--version"], { env, extendEnv: false });
    const record: OwnBubblewrapRecord = {
      directory,
      path,
      bytes: (await stat(path)).size,
      env,
      packages: Object.fromEntries(packages.map((entry) => [entry.name, entry.version])),
    };
    await publish(layout.bubblewrapPointer, record);
  } catch (error) {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}
