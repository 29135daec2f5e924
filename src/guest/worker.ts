/** The entry of a worker cell. */
import { parentPort, workerData } from "node:worker_threads";
import { portChannel } from "./port-channel.ts";
import { serve } from "./serve.ts";

if (parentPort === null) throw new Error("this file is the entry of a worker thread");
serve(portChannel(parentPort, new Int32Array(workerData as SharedArrayBuffer)));
