import type { Field } from '../../../model/fields.ts';
import type { Reading } from '../../../model/reading.ts';
import type { TaskFile } from '../../../native/reader/protocol.ts';
import type { Draft } from './draft.ts';
import { FIELD_SOURCES } from './field-sources.ts';
import type { FileParser } from './file-parser.ts';
import type { Missed } from './refusals.ts';

/** The fields that a sample is asked for. */
export class FieldReadings {
  readonly #fields: readonly Field[];
  readonly #parser: FileParser;
  /** What was parsed of files that many tasks share, by field and content. */
  readonly #shared = new Map<string, Reading<unknown>>();

  constructor(fields: readonly Field[], parser: FileParser) {
    this.#fields = fields;
    this.#parser = parser;
  }

  /** Sets the fields that come from this file. */
  take(draft: Draft, file: TaskFile, bytes: Buffer, missed: Missed | undefined): void {
    for (const field of this.#fields) {
      const source = FIELD_SOURCES[field];
      if (source.file !== file) continue;
      const key = source.isShared && missed === undefined ? `${field}\n${bytes.toString('latin1')}` : undefined;
      let reading = key === undefined ? undefined : this.#shared.get(key);
      reading ??= missed ?? this.#parser.parse(draft, file, () => source.parse(bytes));
      // What is malformed says of which task, and is not shared.
      if (key !== undefined && 'value' in reading) this.#shared.set(key, reading);
      draft.fields ??= {};
      Object.assign(draft.fields, { [field]: reading });
    }
  }
}
