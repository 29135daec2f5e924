import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** A tree as text: names, kinds, times of change and contents. Whatever a guest changes in it shows. No link is followed. */
export function snapshot(directory: string, leaveOut?: string): string[] {
  return readdirSync(directory)
    .sort()
    .filter((name) => name !== leaveOut)
    .flatMap((name) => {
      const path = join(directory, name);
      const stat = lstatSync(path);
      const own = `${path} ${stat.mode} ${stat.nlink} ${stat.mtimeMs}`;
      if (stat.isDirectory()) return [own, ...snapshot(path)];
      if (stat.isFile()) return [`${own} ${readFileSync(path, "utf8")}`];
      return [stat.isSymbolicLink() ? `${own} ${readlinkSync(path)}` : own];
    });
}
