/**
 * bubblewrap's arguments for every jail of scriptcell: namespaces of its own, no capability, nobody's identity, no terminal,
 * an empty environment, and an end together with the host's. What a jail shows is added behind them.
 */
export const WALLS: readonly string[] = [
  "--unshare-all",
  // `--unshare-all` alone goes on without a user namespace where it cannot have one.
  "--unshare-user",
  "--die-with-parent",
  "--new-session",
  "--cap-drop",
  "ALL",
  "--uid",
  "65534",
  "--gid",
  "65534",
  "--hostname",
  "cell",
  "--clearenv",
];
