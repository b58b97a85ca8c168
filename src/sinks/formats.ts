import type { Format } from './format.ts';

/** The formats there are, each loaded when it is asked for: the rules by which some explain take time to load. */
const FORMATS = {
  text: () => import('./text.ts'),
  long: () => import('./long.ts'),
  json: () => import('./json.ts'),
  jsonl: () => import('./jsonl.ts'),
  folded: () => import('./folded.ts'),
  pprof: () => import('./pprof.ts'),
  speedscope: () => import('./speedscope.ts'),
} as const satisfies Record<string, () => Promise<{ readonly format: Format }>>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

export async function loadFormat(name: FormatName): Promise<Format> {
  return (await FORMATS[name]()).format;
}
