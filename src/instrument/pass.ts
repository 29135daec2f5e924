import type { WasmModule } from "../wasm/module.ts";
import type { ModuleCaps } from "./caps.ts";

/**
 * One change to a module that passed the gate, made in place. Later passes see what earlier ones did. What a pass appends
 * goes to the end of its list, so that the guest's own indices stay what they are and cannot reach it.
 */
export type Pass = (module: WasmModule, caps: ModuleCaps) => void;
