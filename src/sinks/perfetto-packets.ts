import { CLOCKS, EVENT_TYPES, FIELDS, SEQUENCE_FLAGS } from './perfetto-fields.ts';
import type { Message } from './protobuf.ts';

export type Arguments = Readonly<Record<string, string | number | boolean | undefined>>;

export interface TrackEvent {
  readonly type: keyof typeof EVENT_TYPES;
  readonly track: number;
  readonly name?: string;
  readonly category?: string;
  readonly arguments?: Arguments;
  /** An arrow begins here. */
  readonly flow?: bigint;
  /** An arrow ends here. */
  readonly flowEnd?: bigint;
  readonly count?: number;
  readonly level?: number;
}

const { TracePacket, TrackEvent, DebugAnnotation, InternedData, ClockSnapshot, Clock } = FIELDS;

/** What an interning dictionary may hold before it is begun anew, which bounds memory here and in the viewer. */
const MOST_INTERNED = 20_000;
const LAST_NS = 2n ** 63n - 1n;

/**
 * Writes the packets of one host into a trace. The packets of each host are a sequence of their own, with a dictionary
 * of their own, and belong to a machine of their own, because hosts have the same PIDs.
 */
export class PacketWriter {
  readonly #trace: Message;
  readonly #machine: number;
  #interned = new Interned();
  #isNew = true;

  /** @param machine 0 for the first host */
  constructor(trace: Message, machine: number) {
    this.#trace = trace;
    this.#machine = machine;
  }

  /**
   * Says that times are Unix times. Viewers take the clock since boot for the time of a trace, and the others by what
   * they were at one moment; with both at one value, hosts stand on one timeline, and times have a date.
   */
  clock(ms: number): void {
    const clock = (id: number) => () => {
      this.#trace.varint(Clock.clock_id, id);
      this.#time(Clock.timestamp, ms);
    };
    this.#packet(TracePacket.clock_snapshot, (trace) => {
      trace.message(ClockSnapshot.clocks, clock(CLOCKS.boottime));
      trace.message(ClockSnapshot.clocks, clock(CLOCKS.realtime));
    });
  }

  /** @param write adds the fields of the message */
  system(write: (message: Message) => void): void {
    this.#packet(TracePacket.system_info, write);
  }

  track(write: (message: Message) => void): void {
    this.#packet(TracePacket.track_descriptor, write);
  }

  event(ms: number, event: TrackEvent): void {
    if (this.#interned.size > MOST_INTERNED) {
      this.#interned = new Interned();
      this.#isNew = true;
    }
    const { type, track, name, category, flow, flowEnd, count, level } = event;
    const interned = this.#interned;
    this.#packet(
      TracePacket.track_event,
      (trace) => {
        if (category !== undefined)
          trace.varint(TrackEvent.category_iids, interned.idOf(InternedData.event_categories, category));
        for (const [key, value] of Object.entries(event.arguments ?? {}))
          if (value !== undefined) trace.message(TrackEvent.debug_annotations, () => this.#argument(key, value));
        trace.varint(TrackEvent.type, EVENT_TYPES[type]);
        if (name !== undefined) trace.varint(TrackEvent.name_iid, interned.idOf(InternedData.event_names, name));
        trace.varint(TrackEvent.track_uuid, track);
        if (count !== undefined) trace.varint(TrackEvent.counter_value, count);
        if (level !== undefined) trace.double(TrackEvent.double_counter_value, level);
        if (flow !== undefined) trace.fixed64(TrackEvent.flow_ids, flow);
        if (flowEnd !== undefined) trace.fixed64(TrackEvent.terminating_flow_ids, flowEnd);
      },
      ms,
    );
  }

  #argument(key: string, value: string | number | boolean): void {
    const trace = this.#trace;
    const interned = this.#interned;
    trace.varint(DebugAnnotation.name_iid, interned.idOf(InternedData.debug_annotation_names, key));
    if (typeof value === 'number') trace.varint(DebugAnnotation.uint_value, value);
    else if (typeof value === 'boolean') trace.varint(DebugAnnotation.bool_value, Number(value));
    else
      trace.varint(DebugAnnotation.string_value_iid, interned.idOf(InternedData.debug_annotation_string_values, value));
  }

  #packet(field: number, write: (message: Message) => void, ms?: number): void {
    const trace = this.#trace;
    const { cleared, needsState } = SEQUENCE_FLAGS;
    trace.message(FIELDS.Trace.packet, () => {
      if (ms !== undefined) this.#time(TracePacket.timestamp, ms);
      trace.message(field, () => write(trace));
      if (this.#interned.hasNew)
        trace.message(TracePacket.interned_data, () => {
          for (const { kind, id, text } of this.#interned.take())
            trace.message(kind, () => trace.varint(FIELDS.Interned.iid, id).text(FIELDS.Interned.name, text));
        });
      trace.varint(TracePacket.trusted_packet_sequence_id, this.#machine + 1);
      trace.varint(TracePacket.sequence_flags, this.#isNew ? cleared | needsState : needsState);
      if (this.#machine > 0) trace.varint(TracePacket.machine_id, this.#machine);
    });
    this.#isNew = false;
  }

  #time(field: number, ms: number): void {
    const exact = BigInt(Math.round(1000 * ms)) * 1000n;
    const ns = exact < 0n ? 0n : exact > LAST_NS ? LAST_NS : exact;
    this.#trace.varint64(field, Number(ns >> 32n), Number(ns & 0xffffffffn));
  }
}

/** A text that events refer to by number. */
interface Word {
  /** Its field in InternedData. */
  readonly kind: number;
  readonly id: number;
  readonly text: string;
}

/** Numbers for texts, each kind of text from 1 on. */
class Interned {
  readonly #ids = new Map<number, Map<string, number>>();
  #new: Word[] = [];
  size = 0;

  get hasNew(): boolean {
    return this.#new.length > 0;
  }

  idOf(kind: number, text: string): number {
    let ids = this.#ids.get(kind);
    if (ids === undefined) {
      ids = new Map();
      this.#ids.set(kind, ids);
    }
    const known = ids.get(text);
    if (known !== undefined) return known;
    const id = ids.size + 1;
    ids.set(text, id);
    this.size++;
    this.#new.push({ kind, id, text });
    return id;
  }

  /** What is new since the last call. */
  take(): readonly Word[] {
    const taken = this.#new;
    this.#new = [];
    return taken;
  }
}
