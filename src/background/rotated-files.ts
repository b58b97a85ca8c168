import { isRegular } from '../files/files.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogNames } from './log-names.ts';

/** A rotated file. `kind` is the end of its name: empty until it is compressed, then `.gz.tmp`, then `.gz`. */
export interface RotatedFile {
  readonly file: string;
  readonly seconds: number;
  readonly kind: string;
  readonly size: number;
  /** When it was written to last, in Unix milliseconds. */
  readonly modifiedMs: number;
}

/** The rotated files of a log, oldest first. */
export async function listRotated(directory: LogDirectory, { pattern }: LogNames): Promise<RotatedFile[]> {
  const files: RotatedFile[] = [];
  for (const file of await directory.list()) {
    const { seconds, kind } = pattern.exec(file)?.groups ?? {};
    if (seconds === undefined || kind === undefined) continue;
    const status = await directory.status(file);
    if (status !== undefined && isRegular(status))
      files.push({ file, seconds: Number(seconds), kind, size: status.size, modifiedMs: status.modifiedMs });
  }
  return files.sort((a, b) => a.seconds - b.seconds);
}

export function totalOf(files: readonly RotatedFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
