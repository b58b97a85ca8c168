import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { KSTACK, needs, parseClassic, run, temporaryFolder } from './harness.ts';

const script = join(import.meta.dirname, '..', 'packaging', 'oled-link.sh');

describe.each(['usr/libexec/oled-tools', 'usr/lib/oled-tools'])('oled-link.sh, with the original in /%s', (place) => {
  beforeEach(needs('root', 'python3'));

  /** A root with the tools of oled, and a folder of the PATH with this kstack. */
  function installed() {
    const root = temporaryFolder();
    const folder = join(root, place);
    mkdirSync(folder, { recursive: true });
    mkdirSync(join(root, 'bin'));
    writeFileSync(join(folder, 'kstack'), '#!/bin/sh\necho original\n', { mode: 0o755 });
    symlinkSync(KSTACK, join(root, 'bin', 'kstack'));
    const env = { ...process.env, DESTDIR: root, PATH: `${join(root, 'bin')}:${process.env['PATH']}` };
    // As oled starts its tools: another name stands in front of the arguments.
    const execute = 'import os, sys; os.execv(sys.argv[1], ["oled-kstack", *sys.argv[2:]])';
    const oled = (...args: string[]) => run('python3', ['-c', execute, join(folder, 'kstack'), ...args]);
    return { folder, oled, link: (what: string) => run(script, [what], { env }) };
  }

  it('makes oled run this kstack, however often it is called, also after an update', async () => {
    const { folder, oled, link } = installed();
    for (let round = 0; round < 2; round++) {
      expect((await link('install')).code).toBe(0);
      const { code, stdout } = await oled('-p', '2');
      expect([code, parseClassic(stdout).lines.map(({ pid }) => pid)]).toEqual([0, [2]]);
    }
    expect((await oled('-D', '--verb')).stderr).toContain('DEBUG');
    expect(readFileSync(join(folder, 'kstack.oled-tools'), 'utf8')).toContain('original');
  });

  it('puts the original back', async () => {
    const { folder, oled, link } = installed();
    await link('install');
    for (let round = 0; round < 2; round++) expect((await link('remove')).code).toBe(0);
    expect((await oled()).stdout).toBe('original\n');
    expect(lstatSync(join(folder, 'kstack')).isFile()).toBe(true);
    expect(readdirSync(folder)).toEqual(['kstack']);
  });
});

describe('oled-link.sh', () => {
  it('says where oled-tools is not installed, and what it takes', async () => {
    const env = { ...process.env, DESTDIR: temporaryFolder() };
    expect(await run(script, ['install'], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('oled-tools is not installed'),
    });
    expect(await run(script, [], { env })).toMatchObject({
      code: 2,
      stderr: 'oled-link.sh: usage: oled-link.sh install | remove\n',
    });
  });
});
