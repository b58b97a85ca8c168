import type { Sample } from '../model/sample.ts';
import type { ZoneOffset } from '../model/time.ts';
import { type Piece, RecordingWriter } from '../recording/write.ts';
import { formatText } from '../sinks/text.ts';

/** What samples become in a log. */
export interface LogFormat {
  /** Whether samples are kept in memory while the file system is full, or left out, as the original kstack does. */
  readonly waitsForSpace: boolean;
  add(sample: Sample): Promise<Piece>;
  /** A piece that neither continues one nor is continued. */
  alone(sample: Sample): Promise<Piece>;
  /** The next piece shall not continue the last one. */
  begin(): void;
  /** What is to follow the last piece at the end, if anything is. */
  end(): Promise<Piece | undefined>;
}

/** The classic text: each sample stands for itself. */
export function textFormat(zoneAt: (seconds: number) => ZoneOffset): LogFormat {
  const add = async (sample: Sample): Promise<Piece> => {
    const bytes = Buffer.from([...formatText(sample, { zoneAt })].join(''));
    return { length: bytes.length, continues: false, at: () => bytes };
  };
  return { waitsForSpace: false, add, alone: add, begin: () => undefined, end: async () => undefined };
}

/** @param segmentBytes a segment ends with the sample with which it reaches this size */
export function recordingFormat(segmentBytes: number): LogFormat {
  const writer = new RecordingWriter(segmentBytes);
  return {
    waitsForSpace: true,
    add: (sample) => writer.add(sample),
    alone: (sample) => new RecordingWriter(1).add(sample),
    begin: () => writer.begin(),
    end: () => writer.end(),
  };
}
