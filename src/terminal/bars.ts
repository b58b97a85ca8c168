/** Heights of a chart of one line; nothing for 0. */
const BARS = ' ▁▂▃▄▅▆▇█';

/** The bar of a value from 0 to `most`. Anything above 0 is seen. */
export function barOf(value: number, most: number): string {
  return BARS[Math.ceil((value * (BARS.length - 1)) / Math.max(1, most))] ?? ' ';
}
