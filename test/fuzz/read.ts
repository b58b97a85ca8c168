import { report } from '../../src/analysis/times/report.ts';
import { samplesOf } from '../../src/cli/samples.ts';
import { InputError } from '../../src/files/input-file.ts';
import type { Sample } from '../../src/model/sample.ts';
import { format as explanation } from '../../src/sinks/explanation.ts';
import { type FormatName, loadFormat } from '../../src/sinks/formats.ts';
import { formatReport } from '../../src/sinks/report.ts';
import { InternedStacks, PackedInput } from '../../src/sources/text/index.ts';

/** How much there was to do. */
export interface Work {
  samples: number;
  observations: number;
  /** Characters written. */
  written: number;
}

export type View = 'report' | 'explain' | FormatName;

/** Samples with more tasks in all are not given to the sinks: what they cost is in proportion to that. */
const MOST_SHOWN = 20_000;
/** What acts on a terminal, or turns the direction of its text; line ends do not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNSAFE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;

const zoneAt = () => ({ offsetSeconds: 0, abbreviation: 'UTC' });
const CONTEXT = { zoneAt, colour: false, full: true, annotate: false };

/**
 * Reads a file as report, explain and convert do, and shows what is in it in one way.
 * @throws Error for everything that is not to happen, whatever is in the file
 */
export async function readEverything(name: string, view: View): Promise<Work> {
  const work: Work = { samples: 0, observations: 0, written: 0 };
  const samples: Sample[] = [];
  const said: string[] = [];
  const damaged = (text: string) => {
    if (said.length < 100) said.push(text);
  };
  const options = { notes: {}, stacks: new InternedStacks(), known: () => new Set(['do_idle']), damaged };
  try {
    for await (const sample of samplesOf(name, { ...options, assumeTimeMs: (ms) => ms })) {
      work.samples++;
      work.observations += sample.observations.length + sample.holders.length;
      if (work.observations <= MOST_SHOWN) samples.push(sample);
    }
  } catch (error) {
    if (!(error instanceof InputError || error instanceof PackedInput)) throw error;
    said.push(error.message);
  }
  const show = (what: string, text: string) => {
    work.written += text.length;
    const unsafe = UNSAFE.exec(text);
    if (unsafe !== null)
      throw new Error(
        `${what} has ${JSON.stringify(unsafe[0])}: ${JSON.stringify(text.slice(Math.max(0, unsafe.index - 60), unsafe.index + 60))}`,
      );
  };
  // Messages are escaped where they are written.
  for (const text of said) work.written += text.length;
  if (view === 'report')
    for (const text of formatReport(await report(samples), { zoneAt, top: 1000, columns: 100 })) show(view, text);
  else if (samples.length > 0) {
    const { write, binary } = view === 'explain' ? explanation : await loadFormat(view);
    for await (const piece of write(samples, CONTEXT)) {
      if (binary) work.written += piece.length;
      else show(view, String(piece));
    }
  }
  return work;
}
