import type { ToolchainLayout } from "./layout.ts";

/** One step of a set-up, as it happens. */
export interface SetupEvent {
  step: "check" | "wait" | "rustup" | "metadata" | "download" | "unpack" | "verify" | "clean" | "done";
  /** One line for people: what is done, and where. */
  message: string;
}

/** Called with each event. */
export type OnProgress = (event: SetupEvent) => void;

/** What every step of a set-up needs. */
export interface StepContext {
  layout: ToolchainLayout;
  onProgress: OnProgress;
  signal: AbortSignal | undefined;
}
