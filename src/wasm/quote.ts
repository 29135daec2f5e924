const MAX_QUOTED = 64;

/** A name out of a module, for a message: clipped, and in plain ASCII, so that it cannot steer a terminal. */
export function quote(name: string): string {
  const clipped = name.length > MAX_QUOTED ? `${name.slice(0, MAX_QUOTED)}…` : name;
  return JSON.stringify(clipped).replace(/[\u007f-\uffff]/g, (unit) =>
    unit === "…" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
