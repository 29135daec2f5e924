import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** Where scriptcell's own code is, which cells run a part of. */
export const SOURCE_ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Of that code: it runs as it was written or as it was built. */
export const EXTENSION = extname(import.meta.url);
/** Says what kind of modules they are. */
export const PACKAGE_JSON = fileURLToPath(new URL("../../package.json", import.meta.url));
