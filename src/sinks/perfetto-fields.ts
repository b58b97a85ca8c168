/**
 * The fields that kstack writes, by message and name, with their numbers in the protos of Perfetto v58
 * (github.com/google/perfetto, protos/perfetto/trace). test/perfetto.proto has the same with their types.
 */
export const FIELDS = {
  /** trace.proto */
  Trace: { packet: 1 },
  /** trace_packet.proto */
  TracePacket: {
    clock_snapshot: 6,
    timestamp: 8,
    trusted_packet_sequence_id: 10,
    track_event: 11,
    interned_data: 12,
    sequence_flags: 13,
    system_info: 45,
    track_descriptor: 60,
    machine_id: 98,
  },
  /** clock_snapshot.proto */
  ClockSnapshot: { clocks: 1 },
  Clock: { clock_id: 1, timestamp: 2 },
  /** protos/perfetto/common/system_info.proto */
  SystemInfo: { utsname: 1, machine_name: 17 },
  Utsname: { sysname: 1, release: 3 },
  /** track_event/track_descriptor.proto */
  TrackDescriptor: {
    uuid: 1,
    name: 2,
    process: 3,
    thread: 4,
    parent_uuid: 5,
    counter: 8,
    sibling_merge_behavior: 15,
    state: 18,
  },
  /** track_event/process_descriptor.proto */
  ProcessDescriptor: { pid: 1, cmdline: 2, process_name: 6 },
  /** track_event/thread_descriptor.proto */
  ThreadDescriptor: { pid: 1, tid: 2, thread_name: 5 },
  /** track_event/counter_descriptor.proto */
  CounterDescriptor: { unit: 3, unit_name: 6 },
  /** track_event/track_event.proto */
  TrackEvent: {
    category_iids: 3,
    debug_annotations: 4,
    type: 9,
    name_iid: 10,
    track_uuid: 11,
    counter_value: 30,
    double_counter_value: 44,
    flow_ids: 47,
    terminating_flow_ids: 48,
  },
  /** track_event/debug_annotation.proto */
  DebugAnnotation: { name_iid: 1, bool_value: 2, uint_value: 3, string_value_iid: 17 },
  /** interned_data/interned_data.proto */
  InternedData: {
    event_categories: 1,
    event_names: 2,
    debug_annotation_names: 3,
    debug_annotation_string_values: 29,
  },
  /** EventCategory, EventName and DebugAnnotationName; InternedString of profiling/profile_common.proto has `str`. */
  Interned: { iid: 1, name: 2 },
} as const;

/** TrackEvent.Type */
export const EVENT_TYPES = { sliceBegin: 1, sliceEnd: 2, instant: 3, counter: 4, state: 5 } as const;
/** BuiltinClock of protos/perfetto/common/builtin_clock.proto */
export const CLOCKS = { realtime: 1, boottime: 6 } as const;
/** CounterDescriptor.Unit */
export const UNIT_COUNT = 2;
/** TrackDescriptor.SiblingMergeBehavior: tracks of one name stay apart. */
export const MERGE_NONE = 2;
/** TracePacket.SequenceFlags */
export const SEQUENCE_FLAGS = { cleared: 1, needsState: 2 } as const;
