/** Words of sentences about anything. */
const COMMON: ReadonlySet<string> = new Set([
  ...[
    'a',
    'all',
    'an',
    'and',
    'another',
    'any',
    'are',
    'as',
    'at',
    'be',
    'been',
    'before',
    'being',
    'by',
    'for',
    'from',
  ],
  ...['in', 'into', 'is', 'it', 'its', 'of', 'on', 'or', 'order', 'other', 'others', 'own', 'some', 'such', 'task'],
  ...['tasks', 'that', 'the', 'their', 'them', 'this', 'to', 'up', 'wait', 'was', 'which', 'while', 'with'],
]);
/** Forms that do not only differ by their ending. */
const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['written', 'write'],
  ['writeback', 'write'],
  ['freed', 'free'],
  ['shown', 'show'],
  ['sent', 'send'],
  ['taken', 'take'],
]);
/** Verbs that tell nothing without what follows them. */
const EMPTY_VERBS: ReadonlySet<string> = new Set(['do', 'get', 'have', 'use'].map(stemOf));
/** From so large a part of words that are known already, a purpose says nothing new, if its verb is known, too. */
const MOST = 0.7;

/** Whether a purpose ("in order to ...") says more than the sentence before it, perhaps in other forms of its words. */
export function tellsMore(purpose: string, sentence: string): boolean {
  const all = stemsOf(purpose);
  const known = new Set(stemsOf(sentence));
  const [verb = ''] = all;
  const words = EMPTY_VERBS.has(verb) ? all.slice(1) : all;
  if (words === all && !known.has(verb)) return true;
  return words.filter((word) => known.has(word)).length < MOST * words.length;
}

function stemsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z][a-z0-9-]*/g) ?? [];
  return words.filter((word) => !COMMON.has(word)).map(stemOf);
}

function stemOf(word: string): string {
  return (IRREGULAR.get(word) ?? word).replace(/(?:ing|ed|en|es|s|e)$/, '').replace(/([a-z])\1$/, '$1');
}
