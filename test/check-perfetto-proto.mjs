// Compares test/perfetto.proto with the published protos: every field that it has is there with the same number and type.
// node test/check-perfetto-proto.mjs FOLDER_OF_A_CHECKOUT_OF_PERFETTO
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder = '.'] = process.argv.slice(2);
const own = readFileSync(join(import.meta.dirname, 'perfetto.proto'), 'utf8');
// One file that has all messages of a trace.
const published = readFileSync(join(folder, 'protos/perfetto/trace/perfetto_trace.proto'), 'utf8');

/** Message.field and Enum.VALUE, with what stands for it. */
function entriesIn(text) {
  const entries = new Map();
  const open = [];
  for (const line of text.split('\n').map((each) => each.replace(/\/\/.*/, '').trim())) {
    const [, kind, name] = /^(message|enum|oneof)\s+(\w+)\s*\{/.exec(line) ?? [];
    if (kind !== undefined) open.push(kind === 'oneof' ? open.at(-1) : name);
    const [, type, field, number] = /^(?:(?:optional|repeated)\s+)?([\w.]+)\s+(\w+)\s*=\s*(\d+)/.exec(line) ?? [];
    const [, value, of] = /^([A-Z_]+)\s*=\s*(\d+)/.exec(line) ?? [];
    if (number !== undefined) entries.set(`${open.at(-1)}.${field}`, `${type} = ${number}`);
    else if (value !== undefined) entries.set(`${open.at(-1)}.${value}`, of);
    if (line.startsWith('}')) open.pop();
  }
  return entries;
}

const there = entriesIn(published);
const here = [...entriesIn(own)];
const wrong = here.filter(([name, what]) => there.get(name) !== what);
for (const [name, what] of wrong) console.log(`${name}: ${what}, but published: ${there.get(name)}`);
console.log(`${here.length} fields and values, ${wrong.length} differ`);
process.exitCode = wrong.length === 0 ? 0 : 1;
