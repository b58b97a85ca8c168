import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { isOverdue } from './harness.ts';

let started = 0;
const PATIENCE_MS = 20_000;
const LOOK_MS = 100;

/** A terminal that a test types on and looks at. It ends with the test. */
export class Tmux {
  readonly #server: string;

  /** Runs a shell command in a terminal of its own, and keeps the terminal when that has ended. */
  constructor(command: string, { columns = 120, rows = 30 } = {}) {
    started++;
    this.#server = `kstack-test-${process.pid}-${started}`;
    onTestFinished(() => {
      this.#tmux('kill-server');
    });
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, `${command}; exec sleep 600`);
  }

  /** Presses keys, by the names of tmux(1). */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Types text as it is. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What is seen; with `styled`, with the control sequences of its styles. */
  screen({ styled = false } = {}): string {
    return this.#tmux('capture-pane', '-p', ...(styled ? ['-e'] : []));
  }

  /** Whether the other screen is shown, the one that programs use which fill it. */
  isOtherScreen(): boolean {
    return this.#tmux('display-message', '-p', '#{alternate_on}').trim() === '1';
  }

  /** The PID of the shell. */
  get pid(): number {
    return Number(this.#tmux('display-message', '-p', '#{pane_pid}'));
  }

  /** Waits until the screen is as wanted, and returns it. */
  async until(wanted: RegExp | ((screen: string) => boolean)): Promise<string> {
    const isWanted = typeof wanted === 'function' ? wanted : (screen: string) => wanted.test(screen);
    const startedMs = performance.now();
    for (;;) {
      const screen = this.screen();
      if (isWanted(screen)) return screen;
      if (isOverdue(performance.now() - startedMs, PATIENCE_MS))
        throw new Error(`the screen did not become as wanted (${wanted}):\n${screen}`);
      await pause(LOOK_MS);
    }
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#server, ...args], { encoding: 'utf8' });
  }
}
