import { renameSync } from "node:fs";

/**
 * Swaps the directory or file `a` with the symbolic link or FIFO `link`, back and forth, as fast as it can: what a second guest, or anyone
 * who shares the mount, can do. Says when it has begun and stops when it is told to, or when nobody is left to tell it.
 */
const [root] = process.argv.slice(2);
process.chdir(root ?? "");
process.on("disconnect", () => process.exit(0));

function swapForAWhile(): void {
  for (let round = 0; round < 2_000; round++) {
    renameSync("a", "away");
    renameSync("link", "a");
    renameSync("a", "link");
    renameSync("away", "a");
  }
  setImmediate(swapForAWhile);
}

process.send?.("swapping");
swapForAWhile();
