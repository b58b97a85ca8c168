import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { recordingsIn } from './recordings-in.ts';

it('a directory stands for the recordings in it, without links, directories and other files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kstack-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const inFolder = (name: string) => join(folder, name);
  for (const name of ['kstack_a.kstack', 'kstack_a-17.kstack', 'kstack_a.out']) writeFileSync(inFolder(name), '');
  symlinkSync('/etc/passwd', inFolder('link.kstack'));
  mkdirSync(inFolder('more.kstack'));
  const listed = [inFolder('kstack_a-17.kstack'), inFolder('kstack_a.kstack')];
  expect(recordingsIn(['first', folder, '-'])).toEqual({ names: ['first', ...listed, '-'], listed: new Set(listed) });
  for (let number = 0; number < 1000; number++) writeFileSync(inFolder(`kstack_b-${number}.kstack`), '');
  expect(() => recordingsIn([folder])).toThrow(`${folder} has more than 1000 recordings: name those to read`);
  // They say for themselves that they cannot be read.
  const none = [inFolder('more.kstack'), inFolder('missing'), ''];
  expect(recordingsIn(none).names).toEqual(none);
});
