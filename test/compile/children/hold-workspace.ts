/** A process that has a workspace, prints where, and keeps it until its stdin ends. */
import { createWorkspace } from "../../../src/compile/workspace.ts";

await using workspace = await createWorkspace("fn main() {}");
console.log(workspace.root);
for await (const _ of process.stdin);
