/** The entry of a process cell. The host is gone when stdin ends; then so is the cell. */
import { workWhereGuestsDo } from "./filesystem/disk-path.ts";
import { pipeChannel } from "./pipe-channel.ts";
import { serve } from "./serve.ts";

workWhereGuestsDo();
serve(pipeChannel());
