import type { Unreadable } from '../../model/reading.ts';

/** A kind of file, and what becomes of each that is read. One object for many reads: a sample of 50,000 tasks shall not make as many closures. */
export interface ReadKind<Context> {
  /** Bytes to take at most of one file; what is longer is delivered cut. */
  limitBytes(): number;
  /** Set for reads at risk: whether this one looks as if it would hang. Asked only once others do hang. */
  looksStuck?(context: Context): boolean;
  /** Called once for each read, with bytes that are valid only during the call. It must not ask for more. */
  deliver(context: Context, bytes: Buffer, cut: boolean): void;
  /** The same where nothing could be read. */
  miss(context: Context, why: Unreadable): void;
}
