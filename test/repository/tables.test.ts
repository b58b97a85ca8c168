import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TABLE_NAMES, tableNamed } from '../../src/analysis/tables/tables.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/tables.md'), 'utf8');

it.each(TABLE_NAMES)('docs/tables.md describes the columns of %s', (name) => {
  const { about, key, columns } = tableNamed(name);
  const section = new RegExp(`^## ${name}\n\n(.*?)(?=^## |$(?![^]))`, 'ms').exec(text)?.[1] ?? '';
  expect(section.toLowerCase().replaceAll('\n', ' ')).toContain(about.toLowerCase());
  expect(section).toContain(`Key: ${key.map((column) => `\`${column}\``).join(', ')}.`);
  const described = [...section.matchAll(/^\| `(\w+)` +\| (.*?) +\| (.*?) +\|$/gm)].map(([, ...cells]) => cells);
  const defined = Object.entries(columns).map(([column, { type, nullable, unit, about }]) => [
    column,
    [type, ...(nullable === true ? ['or null'] : []), ...(unit === undefined ? [] : [`(${unit})`])].join(' '),
    about,
  ]);
  expect(described).toEqual(defined);
});
