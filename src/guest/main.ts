/** The entry of a process cell. The host is gone when stdin ends; then so is the cell. */
import { pipeChannel } from "./pipe-channel.ts";
import { serve } from "./serve.ts";

serve(pipeChannel());
