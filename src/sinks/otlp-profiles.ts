import { explainObservation, kindOf } from '../analysis/explain/explain-sample.ts';
import { framesOf } from '../analysis/fold.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Frame } from '../model/stack.ts';
import { addResource, addScope, addValue, nanoseconds, type OtlpResource, otlpResource } from './otlp.ts';
import { Message } from './protobuf.ts';

/**
 * The fields of profiles, by message and name, with their numbers in the protos after v1.9: the signal is in alpha.
 * test/otlp.proto has the same with their types.
 */
export const PROFILE_FIELDS = {
  ExportProfilesServiceRequest: { resource_profiles: 1, dictionary: 2 },
  ResourceProfiles: { resource: 1, scope_profiles: 2 },
  ScopeProfiles: { scope: 1, profiles: 2 },
  ProfilesDictionary: {
    mapping_table: 1,
    location_table: 2,
    function_table: 3,
    link_table: 4,
    string_table: 5,
    attribute_table: 6,
    stack_table: 7,
  },
  Profile: {
    sample_type: 1,
    samples: 2,
    time_unix_nano: 3,
    duration_nano: 4,
    period_type: 5,
    period: 6,
    profile_id: 7,
  },
  ValueType: { type_strindex: 1, unit_strindex: 2 },
  Sample: { stack_index: 1, attribute_indices: 2, values: 4 },
  Mapping: { filename_strindex: 4 },
  Location: { mapping_index: 1, lines: 3, attribute_indices: 4 },
  Line: { function_index: 1 },
  Function: { name_strindex: 1 },
  Stack: { location_indices: 1 },
  KeyValueAndUnit: { key_strindex: 1, value: 2 },
} as const;

/** A table of a dictionary. Its first entry has no content: it stands for none. */
class Table<T> {
  readonly entries: T[] = [];
  readonly #places = new Map<string, number>();

  /** @param make the entry, if there is none with this key yet */
  placeOf(key: string, make: () => T): number {
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.entries.push(make());
      this.#places.set(key, place);
    }
    return place;
  }
}

interface Counted {
  readonly stack: number;
  readonly attributes: readonly number[];
  count: number;
}

/**
 * Adds up where tasks are that do not idle, sample by sample: how many samples they were seen there, by stack, name,
 * state, kind and rule.
 */
export class StackProfile {
  readonly #version: string;
  readonly #intervalMs: number;
  #tables = new Tables();
  #counted = new Map<string, Counted>();
  #resource: OtlpResource | undefined;
  #firstMs = 0;
  #lastMs = 0;

  /**
   * @param version of kstack
   * @param intervalMs how far apart samples are
   */
  constructor(version: string, intervalMs: number) {
    this.#version = version;
    this.#intervalMs = intervalMs;
  }

  /** From the first sample to the end of the last one. */
  get spanMs(): number {
    return this.#resource === undefined ? 0 : this.#lastMs - this.#firstMs + this.#intervalMs;
  }

  /** How many stacks with what tells tasks apart there are. */
  get entries(): number {
    return this.#counted.size;
  }

  /** One without a time is left out. */
  add(sample: Sample): void {
    const { timeMs } = sample;
    if (timeMs === undefined) return;
    if (this.#resource === undefined) this.#firstMs = timeMs;
    this.#resource = otlpResource(sample, this.#version);
    this.#lastMs = Math.max(this.#firstMs, timeMs);
    for (const observation of sample.observations) {
      if (observation.task.own === true || kindOf(observation) === 'idle') continue;
      const stack = this.#tables.stackOf(framesOf(observation));
      const attributes = this.#tables.attributesOf(observation);
      const key = `${stack} ${attributes.join(' ')}`;
      const known = this.#counted.get(key);
      if (known === undefined) this.#counted.set(key, { stack, attributes, count: 1 });
      else known.count++;
    }
  }

  /**
   * An ExportProfilesServiceRequest of what was added since the last call, as POST /v1development/profiles takes it;
   * undefined if that is nothing.
   * @param id 16 bytes: the same request may come twice
   */
  take(id: Uint8Array): Uint8Array | undefined {
    const [resource, counted, tables, durationMs] = [this.#resource, this.#counted, this.#tables, this.spanMs];
    this.#tables = new Tables();
    this.#counted = new Map();
    this.#resource = undefined;
    if (resource === undefined || counted.size === 0) return undefined;
    const message = new Message();
    const { ExportProfilesServiceRequest: request, ResourceProfiles: of, ScopeProfiles: scope } = PROFILE_FIELDS;
    const field = PROFILE_FIELDS.Profile;
    message.message(request.resource_profiles, () => {
      addResource(message, of.resource, resource);
      message.message(of.scope_profiles, () => {
        addScope(message, scope.scope, resource);
        message.message(scope.profiles, () => {
          tables.addType(message, field.sample_type, ['samples', 'count']);
          for (const each of counted.values()) addSample(message, field.samples, each);
          message.fixed64(field.time_unix_nano, nanoseconds(this.#firstMs));
          message.varint(field.duration_nano, 1e6 * Math.round(durationMs));
          tables.addType(message, field.period_type, ['wall', 'nanoseconds']);
          message.varint(field.period, 1e6 * Math.round(this.#intervalMs)).bytes(field.profile_id, id);
        });
      });
    });
    tables.add(message, request.dictionary);
    return message.take();
  }
}

function addSample(message: Message, field: number, { stack, attributes, count }: Counted): void {
  const { stack_index, attribute_indices, values } = PROFILE_FIELDS.Sample;
  message.message(field, () => {
    message.varint(stack_index, stack).packed(attribute_indices, attributes).packed(values, [count]);
  });
}

interface Place {
  readonly mapping: number;
  readonly function: number;
}

/** profiles.proto, ProfilesDictionary: what samples refer to. */
class Tables {
  readonly #strings = new Table<string>();
  readonly #mappings = new Table<number>();
  readonly #functions = new Table<number>();
  readonly #locations = new Table<Place>();
  readonly #stacks = new Table<readonly number[]>();
  readonly #attributes = new Table<readonly [key: number, value: string]>();
  readonly #stackPlaces = new WeakMap<readonly Frame[], number>();
  /** Every location refers to it. */
  readonly #kernel = this.#attributeOf('profile.frame.type', 'kernel');

  stackOf(frames: readonly Frame[]): number {
    let place = this.#stackPlaces.get(frames);
    if (place === undefined) {
      const locations = frames.map((frame) => this.#locationOf(frame));
      place = this.#stacks.placeOf(locations.join(' '), () => locations);
      this.#stackPlaces.set(frames, place);
    }
    return place;
  }

  attributesOf(observation: Observation): readonly number[] {
    const told: readonly (readonly [string, string | undefined])[] = [
      ['thread.name', observation.task.comm],
      ['kstack.state', observation.state],
      ['kstack.kind', kindOf(observation)],
      ['kstack.rule', explainObservation(observation).rule],
    ];
    return told.flatMap(([key, value]) => (value === undefined ? [] : this.#attributeOf(key, value)));
  }

  addType(message: Message, field: number, [type, unit]: readonly [string, string]): void {
    const { type_strindex, unit_strindex } = PROFILE_FIELDS.ValueType;
    message.message(field, () =>
      message.varint(type_strindex, this.#stringOf(type)).varint(unit_strindex, this.#stringOf(unit)),
    );
  }

  add(message: Message, field: number): void {
    const { ProfilesDictionary: dictionary, Location, Line, KeyValueAndUnit: attribute } = PROFILE_FIELDS;
    message.message(field, () => {
      addTable(message, dictionary.mapping_table, this.#mappings, (name) =>
        message.varint(PROFILE_FIELDS.Mapping.filename_strindex, name),
      );
      addTable(message, dictionary.location_table, this.#locations, ({ mapping, function: of }) =>
        message
          .varint(Location.mapping_index, mapping)
          .message(Location.lines, () => message.varint(Line.function_index, of))
          .packed(Location.attribute_indices, [this.#kernel]),
      );
      addTable(message, dictionary.function_table, this.#functions, (name) =>
        message.varint(PROFILE_FIELDS.Function.name_strindex, name),
      );
      message.message(dictionary.link_table, () => undefined);
      for (const text of ['', ...this.#strings.entries]) message.text(dictionary.string_table, text);
      addTable(message, dictionary.attribute_table, this.#attributes, ([key, value]) =>
        message.varint(attribute.key_strindex, key).message(attribute.value, () => addValue(message, value)),
      );
      addTable(message, dictionary.stack_table, this.#stacks, (locations) =>
        message.packed(PROFILE_FIELDS.Stack.location_indices, locations),
      );
    });
  }

  #locationOf({ symbol, module }: Frame): number {
    return this.#locations.placeOf(`${symbol}\n${module ?? ''}`, () => {
      const [name, file] = [this.#stringOf(symbol), this.#stringOf(`[${module ?? 'kernel.kallsyms'}]`)];
      return {
        mapping: this.#mappings.placeOf(String(file), () => file),
        function: this.#functions.placeOf(String(name), () => name),
      };
    });
  }

  #attributeOf(key: string, value: string): number {
    return this.#attributes.placeOf(`${key}\n${value}`, () => [this.#stringOf(key), value]);
  }

  #stringOf(text: string): number {
    const valid = escapeInvalid(text);
    return this.#strings.placeOf(valid, () => valid);
  }
}

function addTable<T>(message: Message, field: number, { entries }: Table<T>, add: (entry: T) => unknown): void {
  message.message(field, () => undefined);
  for (const entry of entries) message.message(field, () => void add(entry));
}
