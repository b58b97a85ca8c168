import { constants, gunzipSync } from 'node:zlib';
import { contentIn, firstNameIn } from './tar.ts';

/** What is in a bundle, by its names in the folder that it unpacks to: docs/bundle.md. */
export const BUNDLE_FILES = {
  manifest: 'manifest.json',
  why: 'why.txt',
  whyJson: 'why.json',
  report: 'report.txt',
  page: 'report.html',
  recording: 'recording.kstack',
  kernelLog: 'kernel.log',
  host: 'host.json',
} as const;

export type BundleFile = (typeof BUNDLE_FILES)[keyof typeof BUNDLE_FILES];

/** Every bundle begins with its manifest. */
const FIRST = /^kstack[\w.-]{0,80}\/manifest\.json$/;
/** More than enough for the header of the first file. */
const HEAD_BYTES = 1024;

/** Whether data begins as an unpacked bundle does. */
export function beginsBundle(head: Buffer): boolean {
  return FIRST.test(firstNameIn(head) ?? '');
}

/** Whether data begins as a bundle does, as it is written. */
export function beginsPackedBundle(head: Buffer): boolean {
  if (head[0] !== 0x1f || head[1] !== 0x8b) return false;
  try {
    return beginsBundle(gunzipSync(head.subarray(0, HEAD_BYTES), { finishFlush: constants.Z_SYNC_FLUSH }));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return false;
  }
}

/** The recording in an unpacked bundle; nothing if it has none. */
export function recordingIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  return contentIn(chunks, (name) => name.endsWith(`/${BUNDLE_FILES.recording}`));
}
