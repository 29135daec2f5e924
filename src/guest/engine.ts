import type { HostMessage } from "../run/protocol.ts";
import { openNodeWasi } from "./node-wasi.ts";
import { createPreview1, openPreopens } from "./preview1/create.ts";
import type { Preview1, Preview1Grants, Preview1Io } from "./preview1/preview1.ts";

/** Makes the host of one run, with those of its functions that are named. */
export type CreateHost = (grants: Preview1Grants, io: Preview1Io, names: readonly string[]) => Preview1;

/** What a cell's runs are served by. Throws the system's error where a mount cannot be opened. */
export function openEngine({ engine, mounts }: HostMessage & { kind: "open" }): CreateHost {
  const preopens = mounts.map((mount) => ({ ...mount, maxBytes: mount.maxBytes ?? undefined }));
  if (engine === "node-wasi") return openNodeWasi(preopens);
  const opened = openPreopens(preopens);
  return (grants, io, names) => createPreview1(opened, grants, io, names);
}
