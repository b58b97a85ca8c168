const idle = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread; the event loop does not run meanwhile. */
export function pause(milliseconds: number): void {
  Atomics.wait(idle, 0, 0, milliseconds);
}
