import type { Sample } from '../../../model/sample.ts';
import type { InternedStacks } from '../interned.ts';
import { Fields, isObject, Malformed, tooLong } from './fields.ts';
import { MOST_TASKS, type Place, placeOf, RecordedSample } from './recorded-sample.ts';
import { eventRecord, pressureRecord, taskRecord, unreadRecord } from './task.ts';

/** Whether this is a line of `kstack -f jsonl`, by its first properties. */
export function isSampleLine(value: unknown): boolean {
  if (!isObject(value)) return false;
  const type = TYPES.find((each) => each === value['type']);
  return type !== undefined && ['time', 'host', 'kernel', 'bootId', ...OWN[type]].every((name) => name in value);
}

const TYPES = ['task', 'unread', 'event', 'pressure'] as const;
/** Properties that a line of the type has. */
const OWN: Readonly<Record<(typeof TYPES)[number], readonly string[]>> = {
  task: ['tid', 'unread'],
  unread: ['tid', 'what'],
  event: ['eventTime', 'kind'],
  pressure: ['resource', 'some'],
};

/**
 * Lines of `kstack -f jsonl` (#/$defs/line of the schema), read back. Those with the same time and place are of one
 * sample: first its tasks, then what could not be read, then events and pressures.
 */
export class SampleLines {
  readonly #sample: RecordedSample;
  #place: Place = {};
  #key = '';

  constructor(stacks: InternedStacks, malformed: (why: string) => void) {
    this.#sample = new RecordedSample(stacks, malformed);
  }

  /**
   * Takes the next line. Returns the sample that ends before it, if any.
   * @param without the property that was too long to be read
   */
  take(value: unknown, without?: string): Sample | undefined {
    let ended: Sample | undefined;
    try {
      const fields = new Fields(value, 'line');
      const place = placeOf(fields);
      const type = fields.oneOf('type', TYPES);
      const key = JSON.stringify(place);
      const { unread, told, tasks } = this.#sample;
      const isAnew = (type === 'task' && unread + told > 0) || (type === 'unread' && told > 0);
      if (key !== this.#key || isAnew || tasks >= MOST_TASKS) ended = this.end();
      this.#place = place;
      this.#key = key;
      if (without !== undefined) throw new Malformed(tooLong(`line.${without}`));
      if (type === 'task') this.#addTask(fields, place);
      else if (type === 'unread') this.#sample.addUnread(unreadRecord(fields));
      else if (type === 'event') this.#sample.addEvent(eventRecord(fields));
      else this.#sample.addPressure(pressureRecord(fields));
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#sample.addMalformed(error.message);
    }
    return ended;
  }

  /** The last sample, if there is one. */
  end(): Sample | undefined {
    if (this.#sample.isEmpty) return undefined;
    return this.#sample.finish({ ...this.#place, source: { name: 'text' }, threads: true, fields: [], leftOut: {} });
  }

  #addTask(fields: Fields, { bootId }: Place): void {
    const record = taskRecord(fields, bootId !== undefined && 'value' in bootId ? bootId.value : undefined);
    const frames = fields.list('frames');
    if (frames === undefined && record.stackUnread === undefined)
      throw new Malformed('line: neither frames, nor why there are none');
    this.#sample.add(
      record,
      frames === undefined ? undefined : this.#sample.stackOf(frames, 'line.frames', fields.flag('mixed')),
    );
  }
}
