import type { Field, FieldValues } from '../../../model/fields.ts';
import { decodeBytes } from '../../../native/decode.ts';
import type { TaskFile } from '../../../native/reader/protocol.ts';
import { parseCgroups } from './cgroup.ts';
import type { PrefetchedTask } from './prefetch.ts';
import { parseStatus } from './status.ts';
import { parseSystemCall } from './system-call.ts';

/** Where and how a field is read. */
interface FieldSource<F extends Field> {
  readonly file: TaskFile;
  /** @throws Malformed */
  parse(bytes: Buffer): FieldValues[F];
  /** Thousands of tasks share a few contents of this file, so each content is parsed only once per sample. */
  readonly isShared?: true;
  /** The value that a prefetch brings along: then the file is not read for it. */
  prefetched?(task: PrefetchedTask): FieldValues[F];
  /** The value for kernel threads and zombies, for which the file is not read. */
  readonly needsMemory?: FieldValues[F];
}

/** The table of fields: to add one, add a line here and one to model/fields.ts. */
export const FIELD_SOURCES: { readonly [F in Field]: FieldSource<F> } = {
  uid: { file: 'status', parse: (bytes) => parseStatus(bytes).uid, prefetched: ({ uid }) => uid },
  cgroup: { file: 'cgroup', parse: (bytes) => parseCgroups(decodeBytes(bytes)).main, isShared: true },
  namespacePid: {
    file: 'status',
    parse: (bytes) => parseStatus(bytes).namespacePid,
    prefetched: ({ namespacePid }) => namespacePid,
  },
  systemCall: { file: 'syscall', parse: (bytes) => parseSystemCall(bytes.toString('latin1')), needsMemory: 'none' },
};
