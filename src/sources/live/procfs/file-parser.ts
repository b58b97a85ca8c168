import { existsSync } from 'node:fs';
import type { Reading } from '../../../model/reading.ts';
import type { TaskFile } from '../../../native/reader/protocol.ts';
import { Malformed } from './malformed.ts';

/** Parses the files of tasks, and knows where they are. */
export class FileParser {
  readonly #root: string;
  readonly #threads: boolean;
  readonly #lacking = new Map<string, boolean>();

  constructor(root: string, threads: boolean) {
    this.#root = root;
    this.#threads = threads;
  }

  /** The parsed file, or what is malformed in it: `/proc/17/stat: field 3: "x" is no state`. */
  parse<T>(task: { readonly pid: number; readonly tid: number }, file: TaskFile, parse: () => T): Reading<T> {
    try {
      return { value: parse() };
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      const folder = this.#threads ? `${task.pid}/task/${task.tid}` : task.tid;
      return { unread: 'malformed', detail: `${this.#root}/${folder}/${file}: ${error.message}` };
    }
  }

  /**
   * Whether this kernel lacks the file (CONFIG_CGROUPS, CONFIG_HAVE_ARCH_TRACEHOOK). Then ENOENT does not mean that the
   * task has ended.
   */
  lacks(file: TaskFile): boolean {
    let lacks = this.#lacking.get(file);
    if (lacks === undefined) {
      lacks = !existsSync(`${this.#root}/self/${file}`);
      this.#lacking.set(file, lacks);
    }
    return lacks;
  }
}
