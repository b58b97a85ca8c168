import { expect } from 'vitest';
import type { Sample } from '../src/model/sample.ts';
import { type Piece, RecordingWriter } from '../src/recording/write.ts';
import { ODD_SAMPLES } from './odd-samples.ts';

/** A stream in which each sample says its number by its time. Of few tasks, so that the first sample is not large. */
export function numbered(count: number): Sample[] {
  const [sample] = ODD_SAMPLES;
  if (sample === undefined) throw new Error('no sample');
  const { edges: _, resources: __, ...small } = sample;
  return Array.from({ length: count }, (_, at) => ({
    ...small,
    timeMs: 1000 * at,
    observations: sample.observations.slice(0, 1),
    holders: [],
    unread: [],
  }));
}

/** The pieces of a recording of these samples, in a file that has so many bytes before it. */
export async function recorded(samples: readonly Sample[], size = 0): Promise<Buffer[]> {
  const writer = new RecordingWriter();
  const pieces: Buffer[] = [];
  let end = size;
  const put = (piece: Piece | undefined) => {
    if (piece === undefined) return;
    const bytes = piece.at(end);
    expect(bytes).toHaveLength(piece.length);
    pieces.push(bytes);
    end += bytes.length;
  };
  for (const sample of samples) put(await writer.add(sample));
  put(await writer.end());
  return pieces;
}
