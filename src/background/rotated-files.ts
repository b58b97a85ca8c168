import { isRegular } from '../files/files.ts';
import type { LogDirectory } from './log-directory.ts';

/**
 * What has come of a rotation. `kind` is what follows the time in its name: nothing while it waits for being
 * compressed, `.gz`, or `.gz.tmp`.
 */
export interface RotatedFile {
  readonly file: string;
  readonly seconds: number;
  readonly kind: string;
  readonly size: number;
}

/** Looks for the rotated files of a log, and returns them with the oldest first. */
export async function listRotated(directory: LogDirectory, log: string): Promise<RotatedFile[]> {
  const pattern = new RegExp(`^${escapeRegExp(log)}-(?<seconds>\\d{1,12})(?<kind>|\\.gz|\\.gz\\.tmp)$`);
  const files: RotatedFile[] = [];
  for (const file of await directory.list()) {
    const { seconds, kind } = pattern.exec(file)?.groups ?? {};
    if (seconds === undefined || kind === undefined) continue;
    const status = await directory.status(file);
    if (status !== undefined && isRegular(status))
      files.push({ file, seconds: Number(seconds), kind, size: status.size });
  }
  return files.sort((a, b) => a.seconds - b.seconds);
}

export function totalOf(files: readonly RotatedFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
