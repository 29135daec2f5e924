const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * Milliseconds that this thread has had the processor: what others on the machine do hardly changes them. Systems add them up when a thread
 * pauses, so it does, shortly.
 */
export function processorTime(): number {
  Atomics.wait(sleeper, 0, 0, 0.01);
  // Node 22 counts only the whole process: what its helper thread compiles comes on top.
  const ofThread = "threadCpuUsage" in process;
  const { user, system } = ofThread ? process.threadCpuUsage() : process.cpuUsage();
  return (user + system) / 1_000;
}
