import { EVENT_TYPES, FIELDS } from '../src/sinks/perfetto-fields.ts';

type Value = bigint | Buffer;
type Fields = ReadonlyMap<number, readonly Value[]>;

/** The fields of a protobuf message, by number. Throws at what is none. */
function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, Value[]>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error(`a field of ${length} bytes is cut off at ${at}`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const type = tag % 8;
    const value = type === 0 ? varint() : type === 1 ? take(8) : type === 2 ? take(Number(varint())) : undefined;
    if (value === undefined) throw new Error(`wire type ${type} at ${at}`);
    const field = Math.floor(tag / 8);
    const values = fields.get(field) ?? [];
    values.push(value);
    fields.set(field, values);
  }
  return fields;
}

/** The names of numbers in FIELDS, with what a message in them is. */
const MESSAGES: Readonly<Record<string, keyof typeof FIELDS>> = {
  clock_snapshot: 'ClockSnapshot',
  clocks: 'Clock',
  track_event: 'TrackEvent',
  interned_data: 'InternedData',
  system_info: 'SystemInfo',
  utsname: 'Utsname',
  track_descriptor: 'TrackDescriptor',
  process: 'ProcessDescriptor',
  thread: 'ThreadDescriptor',
  counter: 'CounterDescriptor',
  debug_annotations: 'DebugAnnotation',
  event_categories: 'Interned',
  event_names: 'Interned',
  debug_annotation_names: 'Interned',
  debug_annotation_string_values: 'Interned',
};
const LISTS = new Set([
  'clocks',
  'debug_annotations',
  'event_categories',
  'event_names',
  'debug_annotation_names',
  'debug_annotation_string_values',
]);
const BYTES = new Set(['flow_ids', 'terminating_flow_ids', 'double_counter_value', 'state']);

export type Decoded = { readonly [name: string]: bigint | string | number | Decoded | readonly Decoded[] };

/** A message with the names of its fields. Repeated messages are lists. */
function decode(bytes: Buffer, message: keyof typeof FIELDS): Decoded {
  const names = new Map<number, string>(Object.entries(FIELDS[message]).map(([name, number]) => [number, name]));
  const decoded: Record<string, Decoded[string]> = {};
  for (const [field, values] of fieldsOf(bytes)) {
    const name = names.get(field);
    if (name === undefined) throw new Error(`${message} has no field ${field}`);
    const inner = MESSAGES[name];
    const [first] = values;
    if (first === undefined) continue;
    if (typeof first === 'bigint') decoded[name] = first;
    else if (inner !== undefined) {
      const messages = values.map((value) => decode(Buffer.from(value as Buffer), inner));
      decoded[name] = LISTS.has(name) ? messages : (messages[0] ?? {});
    } else if (name === 'double_counter_value') decoded[name] = first.readDoubleLE();
    else decoded[name] = BYTES.has(name) ? first.toString('hex') : first.toString();
  }
  return decoded;
}

/** The packets of a trace, read back by field number. */
export function packetsIn(trace: Uint8Array): Decoded[] {
  const packets = fieldsOf(Buffer.from(trace)).get(FIELDS.Trace.packet) ?? [];
  return packets.map((packet) => decode(Buffer.from(packet as Buffer), 'TracePacket'));
}

/** An event of a trace, with words for their numbers. */
export interface TraceEvent {
  readonly type: string;
  readonly machine: number;
  readonly timeNs: bigint;
  /** The name of its track, or process, PID and TID. */
  readonly track: string;
  readonly name: string | undefined;
  readonly category: string | undefined;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly flow: string | undefined;
  readonly flowEnd: string | undefined;
  readonly value: unknown;
}

const list = (value: Decoded[string] | undefined) => (Array.isArray(value) ? (value as readonly Decoded[]) : []);
const one = (value: Decoded[string] | undefined) => (typeof value === 'object' ? (value as Decoded) : {});

/** The events of a trace in the order in which they are written. Throws at what refers to nothing. */
export function eventsIn(packets: readonly Decoded[]): TraceEvent[] {
  const tracks = new Map<string, string>();
  const processes = new Map<string, string>();
  const words = new Map<string, string>();
  return packets.flatMap((packet): TraceEvent[] => {
    const machine = Number(packet['machine_id'] ?? 0n);
    const flags = Number(packet['sequence_flags']);
    if ((flags & 1) === 1) for (const key of words.keys()) if (key.startsWith(`${machine} `)) words.delete(key);
    for (const [kind, entries] of Object.entries(one(packet['interned_data'])))
      for (const { iid, name } of list(entries)) words.set(`${machine} ${kind} ${iid}`, String(name));
    const word = (kind: string, iid: unknown) => {
      const known = words.get(`${machine} ${kind} ${iid}`);
      if (known === undefined) throw new Error(`no ${kind} ${iid}`);
      return known;
    };
    const { uuid, name, process, thread, parent_uuid: parent } = one(packet['track_descriptor']);
    if (process !== undefined) processes.set(`${machine} ${one(process)['pid']}`, String(one(process)['process_name']));
    if (uuid !== undefined) {
      const { pid, tid, thread_name: comm } = one(thread);
      const above = parent === undefined ? '' : `${tracks.get(`${machine} ${parent}`)}: `;
      const own = thread === undefined ? name : `${processes.get(`${machine} ${pid}`)} ${pid} ${comm} ${tid}`;
      tracks.set(`${machine} ${uuid}`, `${above}${own}`);
    }
    const event = one(packet['track_event']);
    if (event['type'] === undefined) return [];
    const [type] = Object.entries(EVENT_TYPES).find(([, number]) => BigInt(number) === event['type']) ?? ['?'];
    const track = tracks.get(`${machine} ${event['track_uuid']}`);
    if (track === undefined) throw new Error(`no track ${event['track_uuid']}`);
    const given = list(event['debug_annotations']).map((each) => {
      const text = each['string_value_iid'];
      const value = text === undefined ? each['uint_value'] : word('debug_annotation_string_values', text);
      return [word('debug_annotation_names', each['name_iid']), value ?? each['bool_value'] === 1n];
    });
    const nameId = event['name_iid'];
    const categoryId = event['category_iids'];
    return [
      {
        type,
        machine,
        timeNs: packet['timestamp'] as bigint,
        track,
        name: nameId === undefined ? undefined : word('event_names', nameId),
        category: categoryId === undefined ? undefined : word('event_categories', categoryId),
        arguments: Object.fromEntries(given),
        flow: event['flow_ids'] as string | undefined,
        flowEnd: event['terminating_flow_ids'] as string | undefined,
        value: event['counter_value'] ?? event['double_counter_value'],
      },
    ];
  });
}
