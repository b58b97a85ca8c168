import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder, testRequires } from '../harness.ts';

const PREPARE = join(import.meta.dirname, '../../prepare.mjs');
/** Nobody, who may write to no folder of others. */
const OTHER_USER = { uid: 65_534, gid: 65_534 };

/** A small clone: its build notes each time that it runs. */
function smallClone(): { readonly folder: string; builds(): number } {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/main.ts'), '');
  cpSync(PREPARE, join(folder, 'prepare.mjs'));
  const scripts = { build: 'sh build.sh', prepare: 'node prepare.mjs' };
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'kstack', version: '0.0.1', bin: { kstack: 'dist/kstack.cjs' }, scripts }),
  );
  writeFileSync(
    join(folder, 'build.sh'),
    `mkdir -p dist/types; echo >> builds
printf '#!/bin/sh\\necho it runs\\n' > dist/kstack.cjs; chmod 755 dist/kstack.cjs; touch dist/types/index.d.ts`,
  );
  return { folder, builds: () => readFileSync(join(folder, 'builds'), 'utf8').length };
}

/** As npm ci does. */
const prepare = (folder: string, options = {}) =>
  run('node', [join(folder, 'prepare.mjs')], { cwd: folder, env: { ...process.env, npm_command: 'ci' }, ...options });

/** As if the file had been changed a minute from now. */
function change(path: string): void {
  const seconds = Date.now() / 1000 + 60;
  utimesSync(path, seconds, seconds);
}

describe('what npm runs before others use a clone', () => {
  it('builds what is not built, or is older than its sources, and nothing else', async () => {
    const { folder, builds } = smallClone();
    expect(await prepare(folder)).toMatchObject({ code: 0, stderr: '' });
    expect(builds()).toBe(1);
    expect(await prepare(folder)).toMatchObject({ code: 0, stderr: '' });
    expect(builds()).toBe(1);
    change(join(folder, 'src/main.ts'));
    expect(await prepare(folder)).toMatchObject({ code: 0 });
    expect(builds()).toBe(2);
  });

  it('leaves a clone of another user as it is, and says why it cannot build', async () => {
    testRequires('root');
    const { folder, builds } = smallClone();
    const refusal = `kstack: cannot write to the clone: ${folder}: permission denied: `;
    const start = `start it without npx: node ${folder}/dist/kstack.cjs\n`;
    const none = await prepare(folder, OTHER_USER);
    expect([none.code, none.stderr]).toEqual([1, `${refusal}build it as its owner: npm ci; ${start}`]);
    await prepare(folder);
    expect(await prepare(folder, OTHER_USER)).toMatchObject({ code: 0, stderr: '' });
    change(join(folder, 'src/main.ts'));
    const old = await prepare(folder, OTHER_USER);
    const older = 'it is older than its sources; build it as its owner: npm ci; ';
    expect([old.code, old.stderr]).toEqual([0, `${refusal}${older}${start}`]);
    expect(builds()).toBe(1);
  });

  it('tells the terminal of npx in a clone of another user how to start kstack without it', async () => {
    testRequires('root', 'script');
    const { folder } = smallClone();
    await prepare(folder);
    const home = temporaryFolder();
    chownSync(home, OTHER_USER.uid, OTHER_USER.gid);
    const env = {
      ...process.env,
      HOME: home,
      npm_config_cache: join(home, 'cache'),
      npm_config_update_notifier: 'false',
      npm_config_offline: 'true',
    };
    const npx = await run('script', ['-qec', 'npx kstack', '/dev/null'], { cwd: folder, env, ...OTHER_USER });
    expect(npx.code).not.toBe(0);
    expect(npx.stdout).toContain(`start it without npx: node ${folder}/dist/kstack.cjs`);
    const started = await run('sh', [join(folder, 'dist/kstack.cjs')], { cwd: folder, ...OTHER_USER });
    expect(started).toMatchObject({ code: 0, stdout: 'it runs\n' });
  });
});
