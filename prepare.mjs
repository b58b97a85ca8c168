// What npm runs before others use a clone: `npm ci`, `npm pack`, and the first `npx kstack` of each user. Builds dist/
// unless it is newer than all that it is made from.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(fileURLToPath(import.meta.url));
/** Beside the files of the root itself. */
const INPUT_FOLDERS = ['src', 'standalone'];
const COMMAND = 'dist/kstack.cjs';
/** A build writes it last. */
const LAST = 'dist/types/index.d.ts';

process.exitCode = prepare();

function prepare() {
  const isBuilt = existsSync(join(ROOT, COMMAND)) && existsSync(join(ROOT, LAST));
  const isFresh = isBuilt && newestMs() <= statSync(join(ROOT, LAST)).mtimeMs;
  const refusal = whyNotWritable();
  if (isFresh && (refusal === undefined || !isNpx())) return 0;
  if (refusal === undefined)
    return spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
  const build = isFresh ? '' : `${isBuilt ? 'it is older than its sources; ' : ''}build it as its owner: npm ci; `;
  say(`kstack: cannot write to the clone: ${refusal}: ${build}start it without npx: node ${join(ROOT, COMMAND)}`);
  // npx, which cannot set the mode of the command either, says that itself; if this failed, it would end without a word.
  return isBuilt || isNpx() ? 0 : 1;
}

/** When the youngest input was changed. A folder changes when a file in it comes or goes. */
function newestMs() {
  const files = readdirSync(ROOT).filter((name) => /\.(?:mjs|json)$/.test(name));
  const nested = INPUT_FOLDERS.filter((name) => existsSync(join(ROOT, name))).flatMap((folder) => [
    folder,
    ...readdirSync(join(ROOT, folder), { recursive: true }).map((name) => join(folder, name)),
  ]);
  return [...files, ...nested].reduce((newest, name) => Math.max(newest, statSync(join(ROOT, name)).mtimeMs), 0);
}

/** Why this user cannot build; undefined if that is possible. */
function whyNotWritable() {
  for (const folder of [ROOT, join(ROOT, 'dist')]) {
    if (!existsSync(folder)) continue;
    try {
      accessSync(folder, constants.W_OK);
    } catch (error) {
      return `${folder}: ${error.code === 'EROFS' ? 'read-only file system' : 'permission denied'}`;
    }
  }
  return undefined;
}

function isNpx() {
  return process.env['npm_command'] === 'exec';
}

/** npx shows nothing of what a script prints, so it goes to the terminal of whoever typed the command. */
function say(text) {
  process.stderr.write(`${text}\n`);
  if (!isNpx()) return;
  try {
    writeFileSync('/dev/tty', `${text}\n`);
  } catch (error) {
    // There is no terminal.
    if (error.code === undefined) throw error;
  }
}
