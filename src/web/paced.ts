/** So long is the page busy at a time: nobody notices a key that waits for less. */
const BUSY_MS = 30;

/** The same items, with pauses in which the browser draws and takes keys. */
export async function* paced<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  let sinceMs = performance.now();
  for await (const item of items) {
    if (performance.now() - sinceMs > BUSY_MS) {
      await nextTurn();
      sinceMs = performance.now();
    }
    yield item;
  }
}

/** A timer would wait for four milliseconds more. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
