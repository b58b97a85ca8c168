import { spawn } from 'node:child_process';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { SOURCES } from './bpf-source.ts';
import { edgesBy } from './edges.ts';
import { ended, fixture, fixturePath, needs, shell, temporaryFolder } from './harness.ts';

const lookBy = (source: string) => edgesBy(source, /who holds up whom, devices/);

/** Tasks that sleep, and that hold up nobody. */
async function innocents(): Promise<number[]> {
  const children = Array.from({ length: 50 }, () => spawn('sleep', ['600'], { stdio: 'ignore' }));
  onTestFinished(async () => {
    const ends = children.map((child) => ended(child));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ends);
  });
  return children.flatMap(({ pid }) => pid ?? []);
}

const deviceOfMount = (folder: string) =>
  shell(`awk -v point="${folder}" '$5 == point { print $3 }' /proc/self/mountinfo | tail -n 1`);

describe('a loop device on a FUSE file system whose server is stopped', () => {
  beforeEach(needs('root', 'loop', 'bindfs and /dev/fuse'));

  it('leads from those who wait for it, or for the file system on it, to its server', async () => {
    const sleepers = await innocents();
    const folder = temporaryFolder();
    const [server = 0, reader = 0, opener = 0, number = -1] = await fixture('stuck-loop.sh', [folder]);
    const [device, mount] = [`device 7:${number}`, `mount 7:${number}`];
    const beneath = `mount ${deviceOfMount(`${folder}/mount`)}`;
    for (const source of SOURCES) {
      const { edges, resource, ends, roots } = await lookBy(source);
      expect(edges).toContainEqual([reader, 'device', device, 'the kernel says']);
      expect(edges).toContainEqual([opener, 'mount', mount, expect.any(String)]);
      expect(edges).toContainEqual([mount, 'device', device, 'the kernel says']);
      expect(edges).toContainEqual([device, 'backing-file', beneath, 'inferred']);
      expect(edges).toContainEqual([beneath, 'served-by', expect.any(Number), expect.any(String)]);
      expect(roots).toContain(server);
      expect(resource(device)).toMatchObject({
        name: `loop${number}`,
        condition: expect.stringMatching(/^has \d+ requests? in flight and completed none in \d{3,} ms$/),
        hangs: true,
      });
      expect(resource(beneath)).toMatchObject({ name: `${folder}/mount` });
      expect(sleepers.filter((pid) => ends.has(pid))).toEqual([]);
    }
  });
});

describe('swap on such a loop device', () => {
  beforeEach(needs('root', 'loop', 'bindfs and /dev/fuse'));

  it('is what a task waits for whose memory is swapped out', async () => {
    const folder = temporaryFolder();
    const [swapped = 0] = await fixture('hung-swap.sh', [fixturePath('.'), folder, '4096', '2']);
    const number = shell(`awk '$1 ~ /loop/ { print substr($1, 10) }' /proc/swaps`);
    const reader = spawn('cat', [`/proc/${swapped}/cmdline`], { stdio: 'ignore' });
    const { pid = 0 } = reader;
    for (let tries = 0; !/^State:\s+D/m.test(shell(`cat /proc/${pid}/status`)); tries++) {
      expect(tries).toBeLessThan(200);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const source of SOURCES) {
      const { edges } = await lookBy(source);
      expect(edges).toContainEqual([pid, 'device', `device 7:${number}`, 'inferred']);
      expect(edges).toContainEqual([
        `device 7:${number}`,
        'backing-file',
        `mount ${deviceOfMount(`${folder}/mount`)}`,
        'inferred',
      ]);
    }
  });
});

describe('a busy disk', () => {
  beforeEach(needs('root', 'loop'));

  it('is what tasks wait for, and what it completes, but does not hang', async () => {
    const sleepers = await innocents();
    const folder = temporaryFolder();
    shell(`truncate -s 64M ${folder}/image`);
    const device = shell(`losetup --direct-io=on -f --show ${folder}/image`);
    onTestFinished(() => void shell(`losetup -d ${device}`));
    const number = device.replace('/dev/loop', '');
    const busy = `while :; do dd if=/dev/zero of=${device} bs=4k count=2000 oflag=direct,dsync; done 2>/dev/null`;
    const writers = [1, 2, 3, 4].map(() => spawn('sh', ['-c', busy], { stdio: 'ignore', detached: true }));
    onTestFinished(async () => {
      const ends = writers.map((writer) => ended(writer));
      for (const { pid = 0 } of writers) process.kill(-pid, 'SIGKILL');
      await Promise.all(ends);
    });
    const conditions: (string | null | undefined)[] = [];
    for (let tries = 0; tries < 20 && conditions.length < 4; tries++) {
      const { edges, resource, ends } = await lookBy(SOURCES[tries % SOURCES.length] ?? 'procfs');
      expect(sleepers.filter((pid) => ends.has(pid))).toEqual([]);
      const seen = resource(`device 7:${number}`);
      if (seen === undefined) continue;
      expect(seen.hangs).toBe(false);
      expect(edges).toContainEqual([expect.any(Number), 'device', `device 7:${number}`, 'the kernel says']);
      conditions.push(seen.condition);
    }
    expect(conditions.length).toBeGreaterThan(0);
    expect(conditions.join('\n')).toMatch(/^(?:has \d+ requests? in flight and )?completed \d+/m);
  });

  it('may go away while it is looked at', async () => {
    const folder = temporaryFolder();
    shell(`truncate -s 64M ${folder}/image`);
    const comeAndGo = `while d=$(losetup --direct-io=on -f --show ${folder}/image); do
      timeout 0.3 dd if=/dev/zero of=$d bs=4k count=20000 oflag=direct,dsync; losetup -d $d; done 2>/dev/null`;
    const loop = spawn('sh', ['-c', comeAndGo], { stdio: 'ignore', detached: true });
    onTestFinished(async () => {
      const end = ended(loop);
      process.kill(-(loop.pid ?? 0), 'SIGKILL');
      await end;
      shell(`losetup -j ${folder}/image | cut -d: -f1 | xargs -r losetup -d`);
    });
    for (let tries = 0; tries < 6; tries++) {
      const { resource, edges } = await lookBy(SOURCES[tries % SOURCES.length] ?? 'procfs');
      for (const [, , to] of edges)
        if (typeof to === 'string' && to.startsWith('device 7:')) expect(resource(to)?.hangs).toBe(false);
    }
  });
});
