import type { Format } from './format.ts';

/** The formats. Each is loaded on demand, because the rules that some of them need take time to load. */
const FORMATS = {
  text: () => import('./text.ts'),
  long: () => import('./long.ts'),
  json: () => import('./json.ts'),
  jsonl: () => import('./jsonl.ts'),
  folded: () => import('./folded.ts'),
  pprof: () => import('./pprof.ts'),
  speedscope: () => import('./speedscope.ts'),
  perfetto: () => import('./perfetto.ts'),
  firefox: () => import('./firefox.ts'),
  parquet: () => import('./parquet.ts'),
  html: () => import('./html.ts'),
} as const satisfies Record<string, () => Promise<{ readonly format: Format }>>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

export async function loadFormat(name: FormatName): Promise<Format> {
  return (await FORMATS[name]()).format;
}
