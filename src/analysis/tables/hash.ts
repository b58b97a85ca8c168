/**
 * A hash of 64 bits, which stands for its parts: the same on every machine. Parts do not run into each other. The state
 * is two words that mix with each other as in MurmurHash3 (A. Appleby, public domain), a code unit a round, each of
 * which can be undone: nothing of the state is lost.
 */
export function hashOf(parts: readonly (string | number | bigint | boolean | null | undefined)[]): bigint {
  let [a, b] = [parts.length, 0x9e3779b9];
  const mix = (unit: number) => {
    a = (Math.imul(turned(a ^ Math.imul(unit, 0xcc9e2d51), 19) + b, 5) + 0x561ccd1b) | 0;
    b = (Math.imul(turned(b ^ Math.imul(unit, 0x1b873593), 13) + a, 5) + 0x0bcaa747) | 0;
  };
  for (const part of parts) {
    const text = part === null || part === undefined ? '' : String(part);
    mix(part === null || part === undefined ? NOTHING : text.length);
    for (let at = 0; at < text.length; at++) mix(text.charCodeAt(at));
  }
  for (let round = 0; round < FINAL_ROUNDS; round++) mix(round);
  return (BigInt(finished(a) >>> 0) << 32n) | BigInt(finished(b) >>> 0);
}

const NOTHING = 0xffffffff;
const FINAL_ROUNDS = 4;

function turned(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function finished(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
