import type { Cursor } from "./cursor.ts";
import type { IndexSpaces, WasmModule } from "./module.ts";
import type { OperatorVisitor } from "./operator-cursor.ts";
import type { ReadBounds } from "./read-bounds.ts";

/** What the readers of sections share. Sections come in order, so `spaces` holds what was declared so far. */
export interface ReadState {
  cursor: Cursor;
  module: WasmModule;
  spaces: IndexSpaces;
  bounds: ReadBounds;
  visitor: OperatorVisitor | undefined;
}
