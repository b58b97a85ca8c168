const idle = new Int32Array(new SharedArrayBuffer(4));

/** Waits without a turn of the event loop. */
export function pause(milliseconds: number): void {
  Atomics.wait(idle, 0, 0, milliseconds);
}
