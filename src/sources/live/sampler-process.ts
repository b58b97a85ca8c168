import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Sample } from '../../model/sample.ts';
import { Interned } from '../../recording/decode.ts';
import { linesOf } from '../../recording/lines.ts';
import { recordedSamples } from '../../recording/read.ts';
import type { Sampler, SamplerOptions } from './sampler.ts';
import { type SamplerMessage, type SamplerOrder, withoutMessages } from './sampler-protocol.ts';
import { SAMPLER } from './source-name.ts';

/** The command that starts kstack. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * A sampler in another process, for programs whose event loop must not block while a sample is taken. This process only
 * receives the results.
 * @throws Error like openSampler, and if the process cannot be started or ends
 */
export async function openSamplerProcess(
  root: string,
  { tell, missed = tell, ...options }: SamplerOptions,
  { file, args }: Command,
): Promise<Sampler> {
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, [SAMPLER]: '1' },
  });
  const sampler = new ProcessSampler(child, { ...(tell && { tell }), ...(missed && { missed }) });
  try {
    const order: SamplerOrder = { root, options };
    await sampler.ask(JSON.stringify(order));
  } catch (error) {
    sampler.close();
    throw error;
  }
  return sampler;
}

interface Waiting {
  resolve(sample: Sample | undefined): void;
  reject(error: Error): void;
}

class ProcessSampler implements Sampler {
  readonly #child: ChildProcess;
  readonly #waiting: Waiting[] = [];
  readonly #told: Pick<SamplerOptions, 'tell' | 'missed'>;
  #ended: Error | undefined;

  constructor(child: ChildProcess, told: Pick<SamplerOptions, 'tell' | 'missed'>) {
    this.#child = child;
    this.#told = told;
    child.once('error', (error) => this.#end(error));
    child.once('exit', (code, signal) => this.#end(new Error(`the sampler ended with ${signal ?? code}`)));
    child.stdin?.on('error', (error) => this.#end(error));
    // There is none if the process could not be started for want of files; the error tells that.
    const output = child.stdout as Readable | null | undefined;
    if (output) void this.#read(output).catch((error: Error) => this.#end(error));
  }

  /** Sends a line. Resolves to the sample in the answer, if there is one. */
  ask(line: string): Promise<Sample | undefined> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${line}\n`);
    });
  }

  async next(): Promise<Sample> {
    const sample = await this.ask('');
    if (sample === undefined) throw new Error('the sampler returned no sample');
    return sample;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Sample, never> {
    for (;;) yield await this.next();
  }

  /** The process ends when its input is closed. */
  close(): void {
    this.#end(new Error('the sampler was closed'));
    this.#child.stdin?.end();
    this.#child.unref();
  }

  async #read(output: Readable): Promise<void> {
    const damaged = (_line: number, why: string) => {
      throw new Error(`the sampler sent what cannot be read: ${why}`);
    };
    const pieces = withoutMessages(linesOf(output), (message) => this.#take(message));
    const interned = new Interned({ forgets: true });
    for await (const sample of recordedSamples(pieces, damaged, interned)) this.#waiting.shift()?.resolve(sample);
  }

  #take(message: SamplerMessage): void {
    switch (message.kind) {
      case 'tell':
        this.#told.tell?.(message.text);
        return;
      case 'missed':
        this.#told.missed?.(message.text);
        return;
      case 'failed':
        this.#waiting.shift()?.reject(new Error(message.message));
        return;
      case 'ready':
        this.#waiting.shift()?.resolve(undefined);
    }
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}
