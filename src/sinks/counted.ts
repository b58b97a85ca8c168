/** `1 task`, `5 tasks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** How many tasks there were on average, for people. */
export function meanTasks(mean: number): string {
  return mean === 0 || mean >= 10 ? String(Math.round(mean)) : mean.toPrecision(2);
}
