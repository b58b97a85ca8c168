import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** A control group of its own, which is thawed and removed at the end. */
export class FrozenGroup {
  readonly folder: string;
  readonly #parent: string;
  readonly #version: 1 | 2;
  readonly #members: number[] = [];

  constructor(version: 1 | 2) {
    this.#version = version;
    this.#parent = version === 2 ? cgroup2() : '/sys/fs/cgroup/freezer';
    this.folder = mkdtempSync(join(this.#parent, 'kstack-test-'));
    onTestFinished(() => {
      this.#freezes(false);
      for (const pid of this.#members) writeFileSync(join(this.#parent, 'cgroup.procs'), `${pid}`);
      rmdirSync(this.folder);
    });
  }

  async freeze(pid: number): Promise<void> {
    this.#members.push(pid);
    writeFileSync(join(this.folder, 'cgroup.procs'), `${pid}`);
    this.#freezes(true);
    const [file, done] = this.#version === 2 ? ['cgroup.events', 'frozen 1'] : ['freezer.state', 'FROZEN'];
    for (let tries = 0; !readFileSync(join(this.folder, file), 'latin1').includes(done); tries++) {
      if (tries > 1000) throw new Error('it does not freeze');
      await pause(20);
    }
  }

  #freezes(on: boolean): void {
    if (this.#version === 2) writeFileSync(join(this.folder, 'cgroup.freeze'), on ? '1' : '0');
    else writeFileSync(join(this.folder, 'freezer.state'), on ? 'FROZEN' : 'THAWED');
  }
}

function cgroup2(): string {
  const [, point] = / (\S+) cgroup2 /.exec(readFileSync('/proc/mounts', 'utf8')) ?? [];
  if (point === undefined) throw new Error('no cgroup2 is mounted');
  return point;
}
