/** A duration for people, in its two largest units: `3.2 s`, `4 min 12 s`, `2 d 3 h`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 3 : 1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const from = parts.findIndex(([number]) => number > 0);
  return parts
    .slice(from, from + 2)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(' ');
}

/** For how long, for people: ` for 2 min 0 s`, or, if it may be longer, ` for at least 2 min 0 s`. */
export function forDuration(milliseconds: number, isAtLeast: boolean): string {
  return ` for ${isAtLeast ? 'at least ' : ''}${formatDuration(milliseconds)}`;
}
