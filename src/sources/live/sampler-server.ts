import { createInterface } from 'node:readline';
import { systemClock } from '../../native/clock.ts';
import { keepHeapSmall } from '../../native/heap.ts';
import { writeAll } from '../../native/write.ts';
import { openSampler, type Sampler } from './sampler.ts';
import { SampleEncoder, type SamplerMessage, type SamplerOrder } from './sampler-protocol.ts';

const STDOUT = 1;

/** Takes samples for the process at the other end of standard input and output, until the input ends. */
export async function serveSamples(): Promise<void> {
  keepHeapSmall();
  const encoder = new SampleEncoder();
  let sampler: Sampler | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      if (sampler === undefined) {
        sampler = await open(line);
        answer({ kind: 'ready' });
      } else send(encoder.encode(await sampler.next()));
    } catch (error) {
      answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }
  sampler?.close();
}

function open(line: string): Promise<Sampler> {
  const { root, options }: SamplerOrder = JSON.parse(line);
  const tell = (text: string) => answer({ kind: 'tell', text });
  const missed = (text: string) => answer({ kind: 'missed', text });
  return openSampler({ clock: systemClock(), root }, { ...options, tell, missed });
}

function answer(message: SamplerMessage): void {
  send(`${JSON.stringify(message)}\n`);
}

/** Failed writes need no handling: if the reader is gone, the input ends too. */
function send(lines: string): void {
  writeAll(STDOUT, lines);
}
