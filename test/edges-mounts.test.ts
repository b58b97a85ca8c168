import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { SOURCES } from './bpf-source.ts';
import { ended, kstack, needs, shell, temporaryFolder, until } from './harness.ts';

interface End {
  readonly tid: number | null;
  readonly resource: string | null;
}

interface Told {
  readonly edges: readonly { readonly from: End; readonly to: End; readonly by: string; readonly inferred: boolean }[];
  readonly resources: readonly {
    readonly key: string;
    readonly name: string;
    readonly condition: string | null;
    readonly hangs: boolean;
  }[];
  readonly waits: readonly { readonly root: End | null; readonly edges: readonly number[] }[];
}

const endOf = ({ tid, resource }: End) => tid ?? resource;

async function edgesBy(source: string) {
  const { code, stdout, stderr } = await kstack(['-aL', '-f', 'json', '-v', '--source', source]);
  expect(code).toBe(0);
  expect(stderr).not.toContain('who holds up whom');
  const { edges, resources, waits }: Told = JSON.parse(stdout);
  const short = edges.map(({ from, by, to, inferred }) => [
    endOf(from),
    by,
    endOf(to),
    inferred ? 'inferred' : 'the kernel says',
  ]);
  return {
    edges: short,
    /** Where the waits of a task end. */
    rootsOf: (tid: number) =>
      waits
        .filter(({ edges: path }) => path.some((at) => short[at]?.[0] === tid))
        .map(({ root }) => root && endOf(root)),
    resource: (key: string) => resources.find((each) => each.key === key),
    ends: new Set(edges.flatMap(({ from, to }) => [endOf(from), endOf(to)])),
  };
}

const stackOf = (pid: number) => shell(`cat /proc/${pid}/stack 2>/dev/null || true`);
/** The device of what is mounted there last; undefined if nothing is. */
function deviceOf(point: string): string | undefined {
  const fields = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const decoded = (text: string) =>
    text.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return fields.findLast(([, , , , at = '']) => decoded(at) === point)?.[2];
}
/** Starts what a test needs. What waits can end only after what it waits for goes on again, so all is undone at once. */
function scene() {
  const folder = temporaryFolder();
  const resumes: (() => void)[] = [];
  const mounted: string[] = [];
  const [tasks, daemons]: [ChildProcess[], ChildProcess[]] = [[], []];
  const kill = async (children: readonly ChildProcess[]) => {
    const ends = children.map((child) => (child.exitCode ?? child.signalCode) === null && ended(child));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ends);
  };
  onTestFinished(async () => {
    for (const resume of resumes) resume();
    await kill(tasks);
    for (const point of mounted.toReversed()) shell('umount -l "$POINT"', { POINT: point });
    await kill(daemons);
  });
  function start(command: string, args: readonly string[], list = tasks) {
    const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    const { pid } = child;
    if (pid === undefined) throw new Error(`cannot start ${command}`);
    list.push(child);
    return { pid, child };
  }
  /** A FUSE file system that shows another folder. Resolves to its daemon. */
  async function fuse(behind: string, point: string) {
    for (const each of [behind, point]) mkdirSync(each, { recursive: true });
    const { pid, child } = start('bindfs', ['-f', behind, point], daemons);
    resumes.push(() => child.kill('SIGCONT'));
    await until(() => deviceOf(point) !== undefined);
    mounted.push(point);
    return { pid, mount: `mount ${deviceOf(point)}`, stop: () => void child.kill('SIGSTOP') };
  }
  /** A frozen ext4 on a loop device, and a task that waits to write to it. */
  async function frozen(image: string) {
    const point = join(folder, 'ext4');
    mkdirSync(point);
    shell(`truncate -s 16M ${image} && mkfs.ext4 -q ${image} && mount -o loop ${image} ${point}`);
    mounted.push(point);
    shell(`head -c 4M /dev/zero > ${point}/file && sync -f ${point}/file && echo 3 > /proc/sys/vm/drop_caches`);
    resumes.push(() => shell(`fsfreeze -u ${point}`));
    shell(`fsfreeze -f ${point}`);
    const { pid } = start('touch', [join(point, 'new')]);
    await until(() => /percpu|sb_start_write|mnt_want_write/.test(stackOf(pid)));
    return { mount: `mount ${deviceOf(point)}`, pid, point };
  }
  return { folder, mounted, resumes, start, fuse, frozen };
}

const innocents = (start: (command: string, args: readonly string[]) => { readonly pid: number }) =>
  Array.from({ length: 50 }, () => start('sleep', ['600']).pid);

describe('a FUSE file system', () => {
  beforeEach(needs('root', 'bindfs and /dev/fuse'));

  it('leads to its daemon, and through that to the stopped daemon of the one that it lies on', async () => {
    const { folder, start, fuse } = scene();
    const sleepers = innocents(start);
    const inner = await fuse(join(folder, 'source'), join(folder, 'inner'));
    const outer = await fuse(join(folder, 'inner'), join(folder, 'a "b"\\c'));
    inner.stop();
    const creators = [1, 2, 3].map((at) => start('touch', [join(folder, 'a "b"\\c', `${at}`)]).pid);
    await until(() => creators.some((pid) => stackOf(pid).includes('request_wait_answer')));
    await until(() => stackOf(outer.pid).includes('request_wait_answer'));
    for (const source of SOURCES) {
      const { edges, rootsOf, resource, ends } = await edgesBy(source);
      const asking = creators.filter((pid) => stackOf(pid).includes('request_wait_answer'));
      for (const pid of asking) expect(edges).toContainEqual([pid, 'mount', outer.mount, 'inferred']);
      expect(edges).toContainEqual([outer.mount, 'served-by', outer.pid, 'the kernel says']);
      expect(edges).toContainEqual([outer.pid, 'mount', inner.mount, 'inferred']);
      expect(edges).toContainEqual([inner.mount, 'served-by', inner.pid, 'the kernel says']);
      expect(resource(outer.mount)).toMatchObject({ name: join(folder, 'a "b"\\c'), condition: null });
      for (const pid of asking) expect(rootsOf(pid)).toEqual([inner.pid]);
      expect(sleepers.filter((pid) => ends.has(pid))).toEqual([]);
    }
  });

  it('is known for sure by a descriptor', async () => {
    const { folder, start, fuse } = scene();
    const { mount, pid, stop } = await fuse(join(folder, 'source'), join(folder, 'mounted'));
    shell(`head -c 8M /dev/zero > ${folder}/source/file`);
    const script = 'exec 3< "$1"; IFS= read -r line; exec cat <&3';
    const reader = start('sh', ['-c', script, 'sh', join(folder, 'mounted/file')]);
    await until(() => shell(`readlink /proc/${reader.pid}/fd/3 || true`) !== '');
    stop();
    reader.child.stdin?.write('\n');
    await until(() => /request_wait_answer|folio_wait/.test(stackOf(reader.pid)));
    for (const source of SOURCES) {
      const { edges, rootsOf } = await edgesBy(source);
      expect(edges).toContainEqual([reader.pid, 'mount', mount, 'the kernel says']);
      expect(rootsOf(reader.pid)).toEqual([pid]);
    }
  });

  it('is what an overlay on it waits for', async () => {
    const { folder, mounted, start, fuse } = scene();
    // With another one mounted, only the layer tells which of them it is.
    await fuse(join(folder, 'other-source'), join(folder, 'other'));
    const { mount, pid, stop } = await fuse(join(folder, 'source'), join(folder, 'lower'));
    for (const each of ['source/below', 'upper', 'work', 'merged']) mkdirSync(join(folder, each));
    shell(
      `cd ${folder} && mount -t overlay -o lowerdir=${folder}/lower,upperdir=${folder}/upper,workdir=${folder}/work none merged`,
    );
    mounted.push(join(folder, 'merged'));
    const overlay = `mount ${deviceOf(join(folder, 'merged'))}`;
    stop();
    const reader = start('ls', [join(folder, 'merged/below')]);
    await until(() => stackOf(reader.pid).includes('request_wait_answer'));
    // This one waits until the other one has looked up the name.
    const other = start('ls', [join(folder, 'merged/below')]);
    await until(() => stackOf(other.pid).includes('d_alloc_parallel'));
    for (const source of SOURCES) {
      const { edges, rootsOf } = await edgesBy(source);
      for (const each of [reader.pid, other.pid]) {
        expect(edges).toContainEqual([each, 'mount', overlay, 'inferred']);
        expect(rootsOf(each)).toEqual([pid]);
      }
      expect(edges).toContainEqual([overlay, 'beneath', mount, 'inferred']);
    }
  });
});

describe('a frozen file system', () => {
  beforeEach(needs('root', 'loop', 'bindfs and /dev/fuse'));

  it('is what its writers wait for, and no task holds it', async () => {
    const { folder, start, frozen } = scene();
    const sleepers = innocents(start);
    const { mount, pid, point } = await frozen(join(folder, 'image'));
    for (const source of SOURCES) {
      const { edges, resource, rootsOf, ends } = await edgesBy(source);
      expect(edges).toContainEqual([pid, 'frozen', mount, 'inferred']);
      expect(resource(mount)).toMatchObject({ name: point, condition: 'is frozen', hangs: true });
      expect(rootsOf(pid)).toEqual([mount]);
      expect(sleepers.filter((each) => ends.has(each))).toEqual([]);
    }
    const { stdout } = await kstack(['-p', `${pid}`, '-f', 'long']);
    expect(stdout).toMatch(/^1 task \(100\.0 %\) {2}blocked .*waits for a frozen file system to be thawed/m);
  });

  it('is what a loop device on it waits for, and who writes to a page there', async () => {
    const { folder, mounted, start, resumes } = scene();
    const [outer, inner] = [join(folder, 'outer'), join(folder, 'outer/inner')];
    for (const [image, point, size] of [
      [join(folder, 'image'), outer, '64M'],
      [join(outer, 'image'), inner, '16M'],
    ] as const) {
      mkdirSync(point);
      shell(`truncate -s ${size} ${image} && mkfs.ext4 -q ${image} && mount -o loop ${image} ${point}`);
      mounted.push(point);
    }
    shell(`sync -f ${inner}`);
    const [mount, innerMount] = [outer, inner].map((point) => `mount ${deviceOf(point)}`);
    resumes.push(() => shell(`fsfreeze -u ${outer}`));
    shell(`fsfreeze -f ${outer}`);
    const write = (waits: RegExp, ...options: string[]) => {
      const { pid } = start('dd', ['if=/dev/zero', `of=${inner}/file`, 'count=1', 'conv=notrunc', ...options]);
      return until(() => waits.test(stackOf(pid))).then(() => pid);
    };
    const WAIT = /folio_wait|wait_on_page/;
    // The first one waits for its page to be written, the second one does so with the page locked.
    const first = await write(WAIT, 'bs=4k', 'conv=fsync');
    const second = await write(WAIT, 'bs=1', 'conv=fsync');
    const third = await write(/get_folio|get_page|write_begin/, 'bs=1');
    for (const source of SOURCES) {
      const { edges, resource, rootsOf } = await edgesBy(source);
      for (const each of [first, second, third])
        expect(edges).toContainEqual([each, 'mount', innerMount, 'the kernel says']);
      expect(resource(mount ?? '')).toMatchObject({ name: outer, condition: 'is frozen', hangs: true });
      expect(rootsOf(first)).toContain(mount);
    }
  });

  it('on a loop device on a FUSE file system whose daemon is stopped leads to that daemon', async () => {
    const { folder, start, fuse, frozen } = scene();
    const sleepers = innocents(start);
    const daemon = await fuse(join(folder, 'source'), join(folder, 'served'));
    const { mount, point } = await frozen(join(folder, 'served/image'));
    daemon.stop();
    const reader = start('cat', [join(point, 'file')]);
    await until(() => shell(`cat /proc/${reader.pid}/status || true`).includes('State:\tD'));
    const device = mount.replace('mount', 'device');
    for (const source of SOURCES) {
      const { edges, rootsOf, ends } = await edgesBy(source);
      expect(edges).toContainEqual([reader.pid, 'mount', mount, expect.any(String)]);
      expect(edges).toContainEqual([device, 'backing-file', daemon.mount, 'inferred']);
      expect(edges).toContainEqual([daemon.mount, 'served-by', daemon.pid, 'the kernel says']);
      expect(rootsOf(reader.pid)).toContain(daemon.pid);
      expect(sleepers.filter((each) => ends.has(each))).toEqual([]);
    }
  });
});
