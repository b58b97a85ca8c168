import type { Clock } from '../model/time.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { formatLogLine, type LogLevel } from '../terminal/log.ts';
import type { Append } from './log-file.ts';
import type { RunFile, RunState } from './run-file.ts';
import type { RunRecordFile } from './run-records.ts';

/** How many messages are kept for `status`. */
const KEPT_MESSAGES = 10;

export interface RunJournalOptions {
  readonly runFile: RunFile;
  readonly record: RunRecordFile;
  readonly clock: Clock;
  /** Reports to whoever reads the run's messages. */
  tell(level: LogLevel, text: string): void;
}

/** Publishes a run's messages and state in the run file, or in its record while that file cannot be written. */
export class RunJournal {
  readonly #options: RunJournalOptions;
  #state: RunState;
  #changed = false;
  #saving: Promise<void> | undefined;
  #failure: Error | undefined;
  #inRecord = false;

  constructor(options: RunJournalOptions, state: RunState) {
    this.#options = options;
    this.#state = state;
    options.record.write(state);
  }

  get state(): RunState {
    return this.#state;
  }

  /** Updates the state and starts writing it. */
  change(change: Partial<RunState>): void {
    void this.#save(change);
  }

  say(level: 'INFO' | 'ERROR', text: string): void {
    const { clock, tell } = this.#options;
    tell(level, text);
    this.change({
      messages: [...this.#state.messages, escapeUnsafe(formatLogLine(clock, level, text))].slice(-KEPT_MESSAGES),
    });
  }

  /**
   * Writes what is about to be appended.
   * @throws the error of a failed write; LogError if the run file was replaced
   */
  async announce(append: Append): Promise<void> {
    const [saved] = await Promise.allSettled([this.#options.runFile.check(), this.#save({ append })]);
    if (saved.status === 'rejected') throw saved.reason;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Tells whether the file system answers. While it does not, the state goes to the record. */
  setAnswering(answers: boolean): void {
    this.#inRecord = !answers;
    if (!answers) this.#options.record.write(this.#state);
  }

  /** Resolves when the latest state is written. False if that failed; the state is then in the record. */
  async finish(): Promise<boolean> {
    await this.#save({});
    return this.#failure === undefined;
  }

  /** Removes the record if the state is in the run file; otherwise leaves it behind with the last state. */
  close(isWritten: boolean): void {
    if (isWritten) this.#options.record.remove();
    else this.#options.record.write({ ...this.#state, writtenMs: this.#options.clock.nowMs() });
  }

  #save(change: Partial<RunState>): Promise<void> {
    this.#state = { ...this.#state, ...change, writtenMs: this.#options.clock.nowMs() };
    this.#changed = true;
    if (this.#inRecord) this.#options.record.write(this.#state);
    this.#saving ??= this.#write().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  /** Writes one state at a time, until the latest is written. */
  async #write(): Promise<void> {
    while (this.#changed) {
      this.#changed = false;
      try {
        await this.#options.runFile.write(this.#state);
        this.#failure = undefined;
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error));
        this.#options.record.write(this.#state);
      }
    }
  }
}
