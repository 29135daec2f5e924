import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { execa } from "execa";
import type { DebianSystem } from "../../src/toolchain/debian/system.ts";
import { makeSigningKey, type SigningKey } from "./openpgp.ts";

/** A small package: paths below `/` to what they hold; executables all. */
export interface SmallPackage {
  name: string;
  version: string;
  section: string;
  depends?: string;
  files?: Readonly<Record<string, string | { link: string }>>;
}

/** Packages by suite. */
export type Suites = Readonly<Record<string, readonly SmallPackage[]>>;

/** A signed Debian archive on a local HTTP server. */
export interface Archive extends AsyncDisposable {
  /** The system that a set-up from this archive has. */
  system: DebianSystem;
  /** Paths that were asked for, in order. */
  requests: string[];
  /** After this many packages, sends only half of each further one, and never the rest. Null: sends all. */
  stallAfter: number | null;
  /** Resolves when a package was asked for that is being held back. */
  stalled(): Promise<void>;
  /** Changes what is served below a path, after everything was signed. */
  replace(path: string, body: Buffer): void;
}

/** How the archive's Release files are signed: with the key in the keyring, with another one, or not at all. */
export type Signing = "trusted" | "stranger" | "none";

/** Builds packages, indexes and signatures below `directory`, and serves them. */
export async function openArchive(
  directory: string,
  suites: Suites,
  signing: Signing = "trusted",
): Promise<Archive> {
  const key = makeSigningKey("Archive <archive@example.org>");
  const keyring = join(directory, "archive.gpg");
  await mkdir(directory, { recursive: true });
  await writeFile(keyring, key.keyring);
  const architecture = (await execa("dpkg", ["--print-architecture"])).stdout;
  const content = new Map<string, Buffer>();
  for (const [suite, packages] of Object.entries(suites)) {
    const index = (
      await Promise.all(packages.map((entry) => addPackage(directory, suite, entry, architecture, content)))
    ).join("\n");
    addRelease(
      suite,
      index,
      architecture,
      signing === "stranger" ? makeSigningKey("Mallory") : key,
      signing,
      content,
    );
  }

  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://archive").pathname);
    archive.requests.push(path);
    const body = content.get(path);
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-length": body.length });
    const packages = archive.requests.filter((request) => request.endsWith(".deb")).length;
    if (archive.stallAfter === null || packages <= archive.stallAfter) {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, body.length / 2));
    server.emit("stalled");
  });
  // On a busy machine apt thinks for longer than Node keeps a connection, and then waits for an answer that never comes.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`;
  const archive: Archive = {
    system: {
      archives: [uri],
      ownSources: [{ uri, suite: "own" }],
      keyring,
      architecture: { name: architecture, multiarch: "multiarch", loader: "ld.so" },
    },
    requests: [],
    stallAfter: null,
    stalled: async () => {
      await once(server, "stalled");
    },
    replace: (path, body) => content.set(`/debian/${path}`, body),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return archive;
}

async function addPackage(
  directory: string,
  suite: string,
  entry: SmallPackage,
  architecture: string,
  content: Map<string, Buffer>,
): Promise<string> {
  const root = join(directory, suite, entry.name);
  for (const [path, body] of Object.entries(entry.files ?? {})) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    if (typeof body !== "string") await symlink(body.link, file);
    else {
      await writeFile(file, body);
      await chmod(file, 0o755);
    }
  }
  const control = [
    `Package: ${entry.name}`,
    `Version: ${entry.version}`,
    `Architecture: ${architecture}`,
    `Section: ${entry.section}`,
    "Installed-Size: 10",
    "Maintainer: Nobody <nobody@example.org>",
    ...(entry.depends === undefined ? [] : [`Depends: ${entry.depends}`]),
    "Description: a small package",
  ];
  await mkdir(join(root, "DEBIAN"), { recursive: true });
  await writeFile(join(root, "DEBIAN/control"), `${control.join("\n")}\n`);
  const file = join(directory, suite, `${entry.name}.deb`);
  await execa("dpkg-deb", ["--build", "--root-owner-group", "-Zgzip", root, file]);
  const deb = await readFile(file);
  const pool = `pool/${suite}/${entry.name}_${entry.version.replace(/^\d+:/, "")}_${architecture}.deb`;
  content.set(`/debian/${pool}`, deb);
  return [
    ...control.slice(0, -1),
    `Filename: ${pool}`,
    `Size: ${deb.length}`,
    `SHA256: ${sha256(deb)}`,
    "Description: small",
    "",
  ].join("\n");
}

function addRelease(
  suite: string,
  index: string,
  architecture: string,
  key: SigningKey,
  signing: Signing,
  content: Map<string, Buffer>,
): void {
  const base = `/debian/dists/${suite}`;
  const packages = Buffer.from(index);
  const path = `main/binary-${architecture}/Packages`;
  const release = Buffer.from(
    [
      "Origin: Debian",
      "Label: Debian",
      `Suite: ${suite}`,
      `Codename: ${suite}`,
      `Date: ${new Date(Date.now() - 60_000).toUTCString().replace("GMT", "UTC")}`,
      `Architectures: ${architecture}`,
      "Components: main",
      "SHA256:",
      ` ${sha256(packages)} ${packages.length} ${path}`,
      "",
    ].join("\n"),
  );
  content.set(`${base}/${path}`, packages);
  content.set(`${base}/Release`, release);
  if (signing !== "none") content.set(`${base}/Release.gpg`, key.sign(release));
}

const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");
