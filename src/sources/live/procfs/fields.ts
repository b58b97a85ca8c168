import type { Field, FieldValues } from '../../../model/fields.ts';
import { decodeBytes } from '../../../native/decode.ts';
import type { TaskFile } from '../../../native/reader/protocol.ts';
import { parseCgroups } from './cgroup.ts';
import { parseStatus } from './status.ts';
import { parseSystemCall } from './system-call.ts';

/** Where a field is read, and how. */
interface FieldSource<F extends Field> {
  readonly file: TaskFile;
  /** @throws Malformed */
  parse(bytes: Buffer): FieldValues[F];
  /** Of thousands of tasks, most share a few contents of the file: each is parsed once a sample. */
  readonly isShared?: true;
  /** Kernel threads and zombies have none. */
  readonly needsMemory?: FieldValues[F];
}

/** The table of fields: to add one, add a line here and one to model/fields.ts. */
export const FIELD_SOURCES: { readonly [F in Field]: FieldSource<F> } = {
  uid: { file: 'status', parse: (bytes) => parseStatus(bytes).uid },
  cgroup: { file: 'cgroup', parse: (bytes) => parseCgroups(decodeBytes(bytes)).main, isShared: true },
  namespacePid: { file: 'status', parse: (bytes) => parseStatus(bytes).namespacePid },
  systemCall: { file: 'syscall', parse: (bytes) => parseSystemCall(bytes.toString('latin1')), needsMemory: 'none' },
};
