import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FormatName } from '../../src/sinks/formats.ts';
import type { Seed } from './corpus.ts';
import { mutated } from './mutate.ts';
import { Random } from './random.ts';
import { readEverything, type View, type Work } from './read.ts';

/** The mutant of that number: the same one, whenever it is made. */
export function mutantOf(number: number, seeds: readonly Seed[]): { name: string; bytes: Buffer } {
  const random = new Random(number);
  const { name, bytes } = random.of(seeds);
  const others = seeds.map((seed) => seed.bytes);
  const mutant = mutated(bytes, random, others);
  // What is packed reaches the readers behind gzip.
  switch (random.below(48)) {
    case 0:
      return { name: `${name}, packed`, bytes: gzipSync(mutant, { level: 1 }) };
    case 1:
      return { name: `${name}, packed twice`, bytes: gzipSync(gzipSync(mutant, { level: 1 }), { level: 1 }) };
    case 2: {
      const pieces = [0, 1, 2].map((third) =>
        mutant.subarray((third * mutant.length) / 3, ((third + 1) * mutant.length) / 3),
      );
      return {
        name: `${name}, in members`,
        bytes: Buffer.concat(pieces.map((piece) => gzipSync(piece, { level: 1 }))),
      };
    }
    case 3:
      return { name: `${name}, packed and damaged`, bytes: mutated(gzipSync(mutant, { level: 1 }), random, others) };
    case 4: {
      if (random.below(200) > 0) return { name, bytes: mutant };
      const bomb = gzipSync(
        Buffer.alloc((1 + random.small(8)) << 18, random.of(['\n', 'a', ' f+0x1/0x2\n', '[', '{"a":'])),
        { level: 1 },
      );
      return { name: `${name}, and a bomb`, bytes: Buffer.concat([gzipSync(mutant), bomb, bomb]) };
    }
    default:
      return { name, bytes: mutant };
  }
}

/** Where files are in memory: to make one anew on a disk takes longer than to read it. */
const SHARED_MEMORY = '/dev/shm';

/** A file that has one mutant after the other. */
export class MutantFile {
  readonly #folder = mkdtempSync(join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), 'kstack-fuzz-'));
  readonly name = join(this.#folder, 'mutant');
  readonly #fd = openSync(this.name, 'w');

  write(bytes: Buffer): void {
    ftruncateSync(this.#fd, 0);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at, at);
  }

  remove(): void {
    closeSync(this.#fd);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Showing what was read takes longer than reading it: each mutant is shown in one way, every third as a format. */
const FORMATS = [
  'long',
  'text',
  'json',
  'jsonl',
  'folded',
  'perfetto',
  'firefox',
  'speedscope',
  'pprof',
] as const satisfies readonly FormatName[];
const ALIKE = 3;

function viewOf(number: number): View {
  const kind = number % ALIKE;
  if (kind === 0) return 'report';
  return kind === 1 ? 'explain' : (FORMATS[Math.floor(number / ALIKE) % FORMATS.length] ?? 'long');
}

/** Reads a mutant, from that file. Throws if it does what none is to do. */
export async function readMutant(
  number: number,
  seeds: readonly Seed[],
  file: MutantFile,
): Promise<Work & { bytes: number; name: string }> {
  const { name, bytes } = mutantOf(number, seeds);
  file.write(bytes);
  const work = await readEverything(file.name, viewOf(number));
  return { ...work, name, bytes: bytes.length };
}
