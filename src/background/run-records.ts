import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../files/files.ts';
import { formatRunState, parseRunState, type RunState } from './run-file.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY } = constants;

/** A run's record on a tmpfs: the names of its directory, and its state while the run file cannot be written. */
export interface RunRecord {
  readonly names: readonly string[];
  readonly state: RunState;
}

/**
 * A run's file on a tmpfs, where nothing hangs: /run/kstack/PID, or $XDG_RUNTIME_DIR/kstack/PID. `status` and `stop`
 * use it while the file system of the logs does not answer. It exists as long as the run, and stays behind if the run
 * could not write its last state to the run file. If it cannot be created, the run goes on without it.
 */
export class RunRecordFile {
  readonly #names: readonly string[];
  readonly #path: string | undefined;

  constructor(pid: number, names: readonly string[]) {
    this.#names = names;
    const folder = ownFolder(true);
    this.#path = folder && join(folder, String(pid));
  }

  write(state: RunState): void {
    const path = this.#path;
    if (path === undefined) return;
    unlessRefused(() => {
      unlessRefused(() => unlinkSync(`${path}.tmp`));
      const fd = openSync(`${path}.tmp`, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      const names = `${JSON.stringify(this.#names)}\n`;
      writeSync(fd, Buffer.concat([Buffer.from(names), formatRunState(state)]));
      closeSync(fd);
      renameSync(`${path}.tmp`, path);
    });
  }

  remove(): void {
    const path = this.#path;
    if (path !== undefined) unlessRefused(() => unlinkSync(path));
  }
}

/** The records of all runs of this user. */
export function readRunRecords(): RunRecord[] {
  const folder = ownFolder(false);
  if (folder === undefined) return [];
  const names = unlessRefused(() => readdirSync(folder)) ?? [];
  return names
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => unlessRefused(() => readRecord(join(folder, name))) ?? []);
}

/** Removes the record of a run that has ended. */
export function forgetRunRecord({ state }: RunRecord): void {
  new RunRecordFile(state.pid, []).remove();
}

function readRecord(path: string): RunRecord[] {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW);
  try {
    const [first = '', ...others] = readFileSync(fd, 'utf8').split('\n');
    const names: unknown = JSON.parse(first);
    const state = parseRunState(others.join('\n'));
    if (state === undefined || !Array.isArray(names) || !names.every((name) => typeof name === 'string')) return [];
    return [{ names, state }];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The folder for this user's records; undefined if it is missing or somebody else could write to it. */
function ownFolder(make: boolean): string | undefined {
  const uid = process.geteuid?.();
  const parent = uid === 0 ? '/run' : process.env['XDG_RUNTIME_DIR'];
  if (parent === undefined || !parent.startsWith('/')) return undefined;
  const folder = join(parent, 'kstack');
  if (make) unlessRefused(() => mkdirSync(folder, 0o700));
  const status = unlessRefused(() => lstatSync(folder));
  return status?.isDirectory() === true && status.uid === uid && (status.mode & 0o022) === 0 ? folder : undefined;
}

/** The result of a call; undefined if the kernel refuses it. */
function unlessRefused<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}
