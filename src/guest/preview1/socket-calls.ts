import { Errno } from "../filesystem/errno.ts";
import { call, type HostCall, type HostCalls } from "./call.ts";
import type { Host } from "./host.ts";
import { Refusal } from "./refusal.ts";

/** Sockets: there are none, and no descriptor is one. */
export function socketCalls(host: Host): HostCalls {
  const refuse = (fd: number): never => {
    host.descriptors.get(fd);
    throw new Refusal(Errno.NOTSOCK, `descriptor ${fd}`, "this target has no network", null);
  };
  const refused = <Signature extends `i${string}`>(signature: Signature): HostCall =>
    call(signature as `i${string}`, (fd) => refuse(fd));
  return {
    sock_accept: refused("iii"),
    sock_recv: refused("iiiiii"),
    sock_send: refused("iiiii"),
    sock_shutdown: refused("ii"),
  };
}
