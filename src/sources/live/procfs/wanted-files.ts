import type { CompiledSelection } from '../../../model/compiled-selection.ts';
import type { Field } from '../../../model/fields.ts';
import { bitsOf, type TaskFile } from '../../../native/reader/protocol.ts';
import { FIELD_SOURCES } from './field-sources.ts';

/** Which files of a selected task are read, as bit sets, and for which fields. */
export interface WantedFiles {
  /** What was asked for, and what the selection needs. */
  readonly fields: readonly Field[];
  /** All but its command line and what a filter has read. */
  readonly all: number;
  /** The files among these that kernel threads and zombies do not have. */
  readonly needingMemory: number;
  /** The files that a prefetch makes unnecessary. */
  readonly prefetched: number;
}

export function wantedFiles({ users, cgroup }: CompiledSelection, asked: readonly Field[]): WantedFiles {
  const fields: readonly Field[] = users === undefined || asked.includes('uid') ? asked : [...asked, 'uid'];
  const filtered: TaskFile[] = [
    ...(users === undefined ? [] : (['status'] as const)),
    ...(cgroup === undefined ? [] : (['cgroup'] as const)),
  ];
  const sources = fields.map((field) => FIELD_SOURCES[field]);
  const filesOf = (some: typeof sources) => some.map(({ file }) => file);
  return {
    fields,
    all: bitsOf([...new Set<TaskFile>(['stack', ...filesOf(sources).filter((file) => !filtered.includes(file))])]),
    needingMemory: bitsOf(filesOf(sources.filter(({ needsMemory }) => needsMemory))),
    prefetched: bitsOf(['stack', 'status']) & ~bitsOf(filesOf(sources.filter((one) => one.prefetched === undefined))),
  };
}
