// Compares a .proto of ours with the published ones: every field that it has is there with the same number and type.
// node test/check-protos.mjs test/perfetto.proto PERFETTO/protos/perfetto/trace/perfetto_trace.proto
// node test/check-protos.mjs test/otlp.proto $(find OPENTELEMETRY-PROTO -name '*.proto')
import { readFileSync } from 'node:fs';

const [ownFile, ...publishedFiles] = process.argv.slice(2);
const own = readFileSync(ownFile, 'utf8');
const published = publishedFiles.map((file) => readFileSync(file, 'utf8'));

/** Message.field and Enum.VALUE, with what stands for it; types without their packages. */
function entriesIn(text) {
  const entries = new Map();
  const open = [];
  for (const line of text.split('\n').map((each) => each.replace(/\/\/.*/, '').trim())) {
    const [, kind, name] = /^(message|enum|oneof)\s+(\w+)\s*\{/.exec(line) ?? [];
    if (kind !== undefined) open.push(kind === 'oneof' ? open.at(-1) : name);
    const [, type, field, number] = /^(?:(?:optional|repeated)\s+)?([\w.]+)\s+(\w+)\s*=\s*(\d+)/.exec(line) ?? [];
    const [, value, of] = /^([A-Z_]+\d*)\s*=\s*(\d+)/.exec(line) ?? [];
    if (number !== undefined) entries.set(`${open.at(-1)}.${field}`, `${type.split('.').at(-1)} = ${number}`);
    else if (value !== undefined) entries.set(`${open.at(-1)}.${value}`, of);
    if (line.startsWith('}') || /\{\s*\}$/.test(line)) open.pop();
  }
  return entries;
}

const there = new Map(published.flatMap((text) => [...entriesIn(text)]));
const here = [...entriesIn(own)];
const wrong = here.filter(([name, what]) => there.get(name) !== what);
for (const [name, what] of wrong) console.log(`${name}: ${what}, but published: ${there.get(name)}`);
console.log(`${here.length} fields and values, ${wrong.length} differ`);
process.exitCode = wrong.length === 0 && here.length > 0 ? 0 : 1;
