/**
 * bubblewrap's arguments for every jail of scriptcell: namespaces of its own, no capability, nobody's identity, an empty
 * environment, and an end together with the host's. What a jail shows is added behind them.
 *
 * No `--new-session`: whoever starts a jail gives it a session of its own, without a terminal, and ends it by the group. The
 * jail's first process has to stay in that group, for before it has asked to die with its parent nothing else would end it.
 */
export const WALLS: readonly string[] = [
  "--unshare-all",
  // `--unshare-all` alone goes on without a user namespace where it cannot have one.
  "--unshare-user",
  "--die-with-parent",
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
