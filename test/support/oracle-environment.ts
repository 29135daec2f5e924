import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExecaError, execa } from "execa";

/** Packages of the oracle, each with the hashes of its wheels. */
const REQUIREMENTS = fileURLToPath(new URL("oracle/requirements.txt", import.meta.url));
/** One for each set of packages: another set is another environment. */
const DIRECTORY = join(
  fileURLToPath(new URL("../../node_modules/.cache/scriptcell-oracle", import.meta.url)),
  createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 16),
);
const PYTHON = join("bin", "python3");

/**
 * The Python of a virtual environment that has Wasmtime, made where there is none. Two that make it at a time do not
 * disturb each other: it appears under its name when it is complete, and who comes second takes what the first made.
 *
 * @throws Error that says what to install where Python or pip is missing, or why pip has no wheel.
 */
export async function oraclePython(directory: string = DIRECTORY, python = "python3"): Promise<string> {
  const made = join(directory, PYTHON);
  if (await hasWasmtime(made)) return made;
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  const draft = await mkdtemp(join(parent, "draft-"));
  try {
    const environment = join(draft, "environment");
    await makeEnvironment(environment, python, join(draft, "wheels"));
    await putInPlace(environment, directory, made);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return made;
}

async function hasWasmtime(python: string): Promise<boolean> {
  const { failed } = await execa(python, ["-I", "-c", "import wasmtime"], { reject: false });
  return !failed;
}

async function putInPlace(environment: string, directory: string, made: string): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) {
    try {
      await rename(environment, directory);
      return;
    } catch {
      // Somebody was first, or what is there belongs to a Python that is gone.
      if (await hasWasmtime(made)) return;
      await rm(directory, { recursive: true, force: true });
    }
  }
  throw new Error(
    `the virtual environment ${directory} cannot be replaced: remove it and run the tests again`,
  );
}

/**
 * Without pip of its own, and the wheel is unpacked rather than installed: so it takes no `ensurepip`, which Debian has in
 * a package of its own, and any pip will do. It is pip that downloads, so that the user's own configuration holds.
 */
async function makeEnvironment(environment: string, python: string, wheels: string): Promise<void> {
  await step(
    execa(python, ["-m", "venv", "--without-pip", environment]),
    `the tests compare fuel with Wasmtime's and need Python 3.9 or newer, as ${python}`,
    "install it (on Debian: apt-get install python3 python3-pip)",
  );
  const made = join(environment, PYTHON);
  const pip = await findPip(python, join(dirname(environment), "pip"));
  await step(
    execa(
      pip,
      [
        "-m",
        "pip",
        "download",
        "--require-hashes",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
        wheels,
      ].concat("--requirement", REQUIREMENTS),
      // Nothing is installed: there is no reason to insist on an environment.
      { env: { PIP_REQUIRE_VIRTUALENV: "0" } },
    ),
    "pip could not download Wasmtime, which the tests compare fuel with",
    "give pip an index that has it, in pip's own configuration",
  );
  const { stdout: packages } = await execa(made, [
    "-I",
    "-c",
    "import sysconfig; print(sysconfig.get_path('purelib'))",
  ]);
  for (const wheel of await readdir(wheels)) {
    await execa(made, ["-I", "-m", "zipfile", "-e", join(wheels, wheel), packages]);
  }
  await step(
    execa(made, ["-I", "-c", "import wasmtime"]),
    "Wasmtime was downloaded and does not load",
    "run the tests on Linux on x86-64 or arm64, with glibc",
  );
}

/** A Python with pip: the system's, or one in an environment with the pip that comes with Python. */
async function findPip(python: string, environment: string): Promise<string> {
  const { failed } = await execa(python, ["-m", "pip", "--version"], { reject: false });
  if (!failed) return python;
  await step(
    execa(python, ["-m", "venv", environment]),
    `${python} has neither pip nor the means to install it`,
    "install one of them (on Debian: apt-get install python3-pip, or python3-venv)",
  );
  return join(environment, PYTHON);
}

async function step(work: Promise<unknown>, whatHappened: string, whatToDo: string): Promise<void> {
  try {
    await work;
  } catch (error) {
    const said = error instanceof ExecaError ? `\n${error.message}` : "";
    throw new Error(`${whatHappened}: ${whatToDo}${said}`, { cause: error });
  }
}
