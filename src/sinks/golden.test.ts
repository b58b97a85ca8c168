import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Label, Profile } from 'pprof-format';
import { describe, expect, it } from 'vitest';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EDGE_KINDS, RESOURCE_KINDS } from '../model/edge.ts';
import { FIELD_NAMES } from '../model/fields.ts';
import { format as explanation } from './explanation.ts';
import type { Format, WriteContext } from './format.ts';
import { type FormatName, loadFormat } from './formats.ts';

/** An hour east of Greenwich. */
const CONTEXT: WriteContext = {
  zoneAt: () => ({ offsetSeconds: 3600, abbreviation: 'CET' }),
  colour: false,
  full: false,
  annotate: false,
};

async function written({ write }: Format, context: Partial<WriteContext> = {}): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of write(ODD_SAMPLES, { ...CONTEXT, ...context })) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** Much as `go tool pprof -raw` prints a profile. */
function profileText(bytes: Buffer): string {
  const profile = Profile.decode(gunzipSync(bytes));
  const { strings } = profile.stringTable;
  const text = (index: unknown) => strings[Number(index)] ?? '';
  const labelText = ({ key, str, num }: Label) => `${text(key)}:[${Number(str) > 0 ? text(str) : num}]`;
  const functions = new Map(profile.function.map(({ id, name }) => [Number(id), text(name)]));
  return [
    ...profile.sampleType.map(({ type, unit }) => `value: ${text(type)}/${text(unit)}`),
    ...profile.comment.map((comment) => `comment: ${text(comment)}`),
    `time: ${new Date(Number(BigInt(profile.timeNanos) / 1_000_000n)).toISOString()}`,
    `duration: ${Number(profile.durationNanos) / 1e9} s`,
    'samples:',
    ...profile.sample.map(
      ({ value, locationId, label }) => `${value}: ${locationId.join(' ')}\n   ${label.map(labelText).join(' ')}`,
    ),
    'locations:',
    ...profile.location.map(({ id, mappingId, line }) => {
      return `${id}: M=${mappingId} ${line.map(({ functionId }) => functions.get(Number(functionId))).join(' ')}`;
    }),
    'mappings:',
    ...profile.mapping.map(({ id, filename }) => `${id}: ${text(filename)}`),
    '',
  ].join('\n');
}

/** Every text in a JSON value, names of properties too. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [name, ...textsIn(each)]);
}

/** The JSON documents that are one behind the other in a text, of which each begins a line with `{"format"`. */
function documentsIn(text: string): unknown[] {
  return text.split(/^(?=\{"format")/m).map((document) => JSON.parse(document));
}

describe('whatever is in a sample', () => {
  it('JSON is UTF-8: a byte that is not stands as text, and not as half a character', async () => {
    const documents = documentsIn((await written(await loadFormat('json'))).toString());
    const lines = (await written(await loadFormat('jsonl'))).toString().trimEnd().split('\n');
    expect(documents).toHaveLength(ODD_SAMPLES.length);
    const texts = textsIn([documents, lines.map((line) => JSON.parse(line))]);
    expect(texts.filter((text) => !text.isWellFormed())).toEqual([]);
    expect(texts.filter((text) => text.includes('\\xff')).length).toBeGreaterThan(10);
  });

  it('the published schema knows the fields that there are', () => {
    const path = join(import.meta.dirname, '../../schema/kstack-sample-1.schema.json');
    const schema = JSON.parse(readFileSync(path, 'utf8'));
    expect(schema.properties.fields.items.enum).toEqual(FIELD_NAMES);
    for (const field of FIELD_NAMES) {
      expect(Object.keys(schema.$defs.task.properties)).toContain(field);
      expect(schema.$defs.unread.properties.what.enum).toContain(field);
    }
  });

  it('the published schema knows the kinds of edges and resources that there are', () => {
    const path = join(import.meta.dirname, '../../schema/kstack-sample-1.schema.json');
    const { edge, resource } = JSON.parse(readFileSync(path, 'utf8')).$defs;
    expect(edge.properties.by.enum).toEqual(EDGE_KINDS);
    expect(resource.properties.kind.enum).toEqual(RESOURCE_KINDS);
  });

  it('json and jsonl are as their published schema says', async () => {
    const path = join(import.meta.dirname, '../../schema/kstack-sample-1.schema.json');
    const ajv = new Ajv2020({ allErrors: true });
    const isDocument = ajv.compile(JSON.parse(readFileSync(path, 'utf8')));
    const isLine = ajv.getSchema('urn:kstack:sample:1#/$defs/line');
    if (isLine === undefined) throw new Error('the schema has no lines');
    for (const document of documentsIn((await written(await loadFormat('json'))).toString()))
      expect([isDocument(document), isDocument.errors]).toEqual([true, null]);
    for (const line of (await written(await loadFormat('jsonl'))).toString().trimEnd().split('\n'))
      expect([await isLine(JSON.parse(line)), isLine.errors]).toEqual([true, null]);
  });

  it.each(['text', 'long', 'json', 'jsonl', 'folded', 'speedscope', 'firefox', 'html'] as const)(
    '%s acts on no terminal and turns no direction',
    async (name) => {
      const text = (await written(await loadFormat(name), { full: true })).toString();
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/);
    },
  );
});

describe('the formats', () => {
  const textOf = async (name: FormatName) => (await written(await loadFormat(name))).toString();
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const tasks = sum(ODD_SAMPLES.map(({ observations }) => observations.length));

  it('all have every task of every sample', async () => {
    const { profiles } = JSON.parse(await textOf('speedscope'));
    const { sample } = Profile.decode(gunzipSync(await written(await loadFormat('pprof'))));
    const folded = [...(await textOf('folded')).matchAll(/ (\d+)$/gm)].map(([, count]) => Number(count));
    const json = documentsIn(await textOf('json')).map((document) => (document as { tasks: unknown[] }).tasks.length);
    const { threads } = JSON.parse(await textOf('firefox'));
    const holders = sum(ODD_SAMPLES.map((sample) => sample.holders.length));
    expect({
      text: (await textOf('text')).match(/^PID: /gm)?.length,
      json: sum(json),
      jsonl: (await textOf('jsonl')).match(/^\{"type":"task"/gm)?.length,
      long: sum([...(await textOf('long')).matchAll(/^(\d+) tasks? \([\d.]+ %\)/gm)].map(([, count]) => Number(count))),
      folded: sum(folded),
      speedscope: [profiles[0].endValue, sum(profiles[0].weights)],
      pprof: sum(sample.map(({ value }) => Number(value[0]))),
      firefox: sum(threads.map(({ samples }: { samples: { length: number } }) => samples.length)) - holders,
    }).toEqual({
      text: tasks,
      json: tasks,
      jsonl: tasks,
      long: tasks,
      folded: tasks,
      speedscope: [tasks, tasks],
      pprof: tasks,
      firefox: tasks,
    });
  });

  it('speedscope is as the published schema says', async () => {
    const path = createRequire(import.meta.url).resolve('speedscope/dist/release/file-format-schema.json');
    // It is a schema of an older draft, of which all that it uses has kept its meaning.
    const { $schema: _, ...schema } = JSON.parse(readFileSync(path, 'utf8'));
    const validate = new Ajv2020({ strict: false }).compile(schema);
    expect(validate(JSON.parse(await textOf('speedscope'))) ? [] : validate.errors).toEqual([]);
    expect(validate({ profiles: [] })).toBe(false);
  });
});

describe('the odd samples are written as they were before', () => {
  it.each([
    ['text', 'text', {}],
    ['long', 'long', {}],
    ['long', 'long-full', { full: true }],
    ['json', 'json', {}],
    ['jsonl', 'jsonl', {}],
    ['folded', 'folded', {}],
    ['folded', 'folded-annotated', { annotate: true }],
    ['speedscope', 'speedscope', {}],
  ] as const)('%s: golden/%s.txt', async (name, file, context) => {
    const text = (await written(await loadFormat(name), context)).toString();
    await expect(text).toMatchFileSnapshot(`golden/${file}.txt`);
  });

  it('long in colour: golden/long-colour.txt', async () => {
    const text = (await written(await loadFormat('long'), { colour: true })).toString();
    await expect(text.replaceAll('\x1b[', '␛[')).toMatchFileSnapshot('golden/long-colour.txt');
  });

  it('pprof: golden/pprof.txt', async () => {
    await expect(profileText(await written(await loadFormat('pprof')))).toMatchFileSnapshot('golden/pprof.txt');
  });

  it.each([
    ['explanation', false],
    ['explanation-full', true],
  ])('golden/%s.txt', async (file, full) => {
    const text = (await written(explanation, { full })).toString();
    await expect(text).toMatchFileSnapshot(`golden/${file}.txt`);
  });
});
