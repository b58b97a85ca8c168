import { decodeBytes } from '../../../native/decode.ts';

/** A record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg). */
export interface KmsgRecord {
  /** Facility times 8 and level, as of syslog(3). The facility of the kernel's own records is 0. */
  readonly priority: number;
  readonly sequence: number;
  /** By the kernel's clock since boot. */
  readonly uptimeSeconds: number;
  readonly text: string;
}

const RECORD = /^(\d{1,10}),(\d{1,20}),(\d{1,20}),[^;]{0,200};([^\n]*)/;
const ESCAPED = /\\x([0-9a-f]{2})/g;

/** Reads a record; undefined if it is none. */
export function parseKmsg(bytes: Buffer): KmsgRecord | undefined {
  const [, priority, sequence, microseconds, text] = RECORD.exec(bytes.toString('latin1')) ?? [];
  if (text === undefined) return undefined;
  return {
    priority: Number(priority),
    sequence: Number(sequence),
    uptimeSeconds: Number(microseconds) / 1e6,
    text: unescaped(text),
  };
}

/** The kernel writes each byte that is not printable ASCII as `\x0a`, and a backslash as `\x5c`. */
function unescaped(text: string): string {
  if (!text.includes('\\x')) return text;
  const bytes = text.replaceAll(ESCAPED, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return decodeBytes(Buffer.from(bytes, 'latin1'));
}
