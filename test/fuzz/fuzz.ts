import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { FormatName } from '../../src/sinks/formats.ts';
import type { Seed } from './corpus.ts';
import { mutated } from './mutate.ts';
import { Random } from './random.ts';
import { readEverything, type Work } from './read.ts';

/** The mutant of that number: the same one, whenever it is made. */
export function mutantOf(number: number, seeds: readonly Seed[]): { name: string; bytes: Buffer } {
  const random = new Random(number);
  const { name, bytes } = random.of(seeds);
  const others = seeds.map((seed) => seed.bytes);
  const mutant = mutated(bytes, random, others);
  // What is packed reaches the readers behind gzip.
  switch (random.below(12)) {
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

const FORMATS = ['text', 'json', 'jsonl', 'folded', 'perfetto', 'firefox'] as const;

/** Reads a mutant, from that file. Throws if it does what none is to do. */
export async function readMutant(
  number: number,
  seeds: readonly Seed[],
  file: string,
): Promise<Work & { bytes: number; name: string }> {
  const { name, bytes } = mutantOf(number, seeds);
  const random = new Random(number);
  writeFileSync(file, bytes);
  // Showing what was read takes longer than reading it.
  const formats: readonly FormatName[] = random.below(3) > 0 ? [] : ['long', random.of(FORMATS)];
  const work = await readEverything(file, formats);
  return { ...work, name, bytes: bytes.length };
}
