import { createInterface } from 'node:readline';
import { systemClock } from '../../native/clock.ts';
import { writeAll } from '../../native/write.ts';
import { openSampler, type Sampler, type SamplerOptions } from './sampler.ts';
import { SampleEncoder, type SamplerAnswer, type SamplerOrder } from './sampler-protocol.ts';

const STDOUT = 1;

/** Takes samples for the process at the other end of standard input and output, until the input ends. */
export async function serveSamples(): Promise<void> {
  const encoder = new SampleEncoder();
  let sampler: Sampler | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      if (sampler === undefined) {
        sampler = await open(line);
        answer({ kind: 'ready' });
      } else for (const piece of encoder.encode(await sampler.next())) answer(piece);
    } catch (error) {
      answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }
  sampler?.close();
}

function open(line: string): Promise<Sampler> {
  const { root, options }: SamplerOrder = JSON.parse(line);
  const tell = (text: string) => answer({ kind: 'tell', text });
  const missed: SamplerOptions['missed'] = (text, how) => answer({ kind: 'missed', text, ...(how && { how }) });
  return openSampler({ clock: systemClock(), root }, { ...options, tell, missed });
}

/** Failed writes need no handling: if the reader is gone, the input ends too. */
function answer(what: SamplerAnswer): void {
  writeAll(STDOUT, `${JSON.stringify(what)}\n`);
}
