const MOST_DIFFERENCES = 2;

/** The word that was probably meant; undefined if none is close. */
export function mostSimilar(typed: string, words: readonly string[]): string | undefined {
  const distances = words.map((word) => distance(typed.toLowerCase(), word.toLowerCase()));
  const least = distances.reduce((a, b) => Math.min(a, b), MOST_DIFFERENCES + 1);
  return least > MOST_DIFFERENCES ? undefined : words[distances.indexOf(least)];
}

/** The Levenshtein distance; 3 if it is certainly greater than 2. */
function distance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > 2) return 3;
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [index, character] of [...from].entries()) {
    const above = row;
    row = [index + 1];
    for (let at = 1; at <= to.length; at++) {
      const replaced = (above[at - 1] ?? 0) + Number(character !== to[at - 1]);
      row.push(Math.min((above[at] ?? 0) + 1, (row[at - 1] ?? 0) + 1, replaced));
    }
  }
  return row[to.length] ?? 0;
}
