import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { bpfCalls, describeBpf, withFailing } from './bpf-source.ts';
import { FrozenGroup } from './frozen-group.ts';
import { ended, fixture, KSTACK, kstack, needs, requires, run, shell, temporaryFolder, textOf } from './harness.ts';

interface Node {
  readonly tid: number | null;
  readonly resource: string | null;
}

interface Edge {
  readonly from: Node;
  readonly to: Node;
  readonly by: string;
  readonly any: boolean;
  readonly inferred: boolean;
  readonly evidence: readonly { readonly place: string; readonly text: string }[];
}

interface Seen {
  readonly tasks: readonly { readonly tid: number; readonly pid: number; readonly ppid: number }[];
  readonly edges: readonly Edge[];
  readonly resources: readonly {
    readonly key: string;
    readonly kind: string;
    readonly name: string;
    readonly condition: string | null;
    readonly hangs: boolean;
  }[];
  readonly stderr: string;
}

/** A sample of all threads. On a busy machine the time for edges may not be enough: then it is taken again. */
async function sampled(source: string, around: readonly string[] = []): Promise<Seen> {
  for (let tries = 0; ; tries++) {
    const [command = '', ...args] = [...around, KSTACK, '-aLv', '-f', 'json', '--source', source];
    const { code, stdout, stderr } = await run(command, args);
    if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
    if (!/no time left/.test(stderr) || tries > 30) return { ...JSON.parse(stdout), stderr };
  }
}

const SERVE = `import socket, sys
server = socket.socket(); server.bind(('0.0.0.0', 5555)); server.listen()
print('listens', flush=True)
accepted = server.accept()[0]; sys.stdin.read()`;
const ASK = `import socket, sys
client = socket.create_connection((sys.argv[1], 5555))
print('connected', flush=True)
client.recv(1)`;

/** A server in a network namespace of its own, and a client outside that has connected through a veth and reads. */
async function acrossNamespaces(): Promise<{ readonly server: number; readonly client: number }> {
  const [here, there] = [`ks${process.pid}a`, `ks${process.pid}b`];
  const server = startedPython(['unshare', '-n', 'python3', '-c', SERVE], 'listens');
  const pid = await server;
  shell(
    `ip link add ${here} type veth peer name ${there} netns ${pid} && ip addr add 198.18.93.1/30 dev ${here} &&
      ip link set ${here} up && nsenter -t ${pid} -n ip addr add 198.18.93.2/30 dev ${there} &&
      nsenter -t ${pid} -n ip link set ${there} up`,
  );
  const client = await startedPython(['python3', '-c', ASK, '198.18.93.2'], 'connected');
  await inFunction(client, 'tcp_recvmsg');
  return { server: pid, client };
}

/** Writes to a terminal that nobody reads from. */
const TERMINAL = `import os, sys
master, slave = os.openpty()
if os.fork() == 0:
    os.close(master)
    try:
        while True: os.write(slave, b'x' * 1000)
    finally: os._exit(0)
os.close(slave)
print('ready', flush=True)
sys.stdin.read()`;

/** Keeps a FIFO open, as a shell does with `exec 3<>fifo`, and has a child that reads it. */
const KEEPS = `import os, sys
fifo = os.open(sys.argv[1], os.O_RDWR)
if os.fork() == 0:
    reads = os.open(sys.argv[1], os.O_RDONLY)
    os.close(fifo)
    try: os.read(reads, 1)
    finally: os._exit(0)
print('ready', flush=True)
sys.stdin.read()`;

async function inFunction(pid: number, name: string): Promise<void> {
  for (let tries = 0; !textOf(`/proc/${pid}/stack`).includes(name); tries++) {
    if (tries > 1000) throw new Error(`${pid} does not come to ${name}`);
    await pause(20);
  }
}

/** Resolves to its PID once it has printed a word. */
async function startedPython([command = '', ...args]: readonly string[], word: string): Promise<number> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = ended(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (bytes: Buffer) => {
      if (bytes.includes(word)) resolve();
    });
    child.on('close', () => reject(new Error(`${command} ended early`)));
  });
  return child.pid ?? 0;
}

const end = ({ tid, resource }: Node) => tid ?? resource ?? '';

/** The edges from a task: where each leads, and the marks of it. */
function from({ edges }: Seen, tid: number): [to: number | string, by: string, marks: string][] {
  return edges
    .filter((edge) => end(edge.from) === tid)
    .map(({ to, by, any, inferred }): [number | string, string, string] => [
      end(to),
      by,
      [any ? 'any' : '', inferred ? 'inferred' : ''].filter(Boolean).join(' '),
    ])
    .toSorted(([a], [b]) => Number(a) - Number(b));
}

function resourceFrom(seen: Seen, tid: number) {
  const [[key] = ['']] = from(seen, tid);
  return seen.resources.find((resource) => resource.key === key);
}

function testsWith(source: 'procfs' | 'bpf', around: () => Promise<readonly string[]> = async () => []) {
  const look = async () => sampled(source, await around());

  it('each stage of a pipeline leads to the next one, up to the one that is stopped', async () => {
    const [sleepers = 0] = await fixture('tasks', ['crowd', '50']);
    const [one = 0, two = 0, copies = 0, stopped = 0] = await fixture('streams', ['pipeline']);
    const seen = await look();
    for (const writer of [one, two]) expect(from(seen, writer)).toEqual([[copies, 'pipe-reader', '']]);
    expect(from(seen, copies)).toEqual([[stopped, 'pipe-reader', '']]);
    expect(from(seen, stopped)).toEqual([]);
    const innocent = new Set(seen.tasks.filter(({ ppid }) => ppid === sleepers).map(({ tid }) => tid));
    expect(innocent.size).toBe(100);
    const ends = seen.edges.flatMap((edge) => [end(edge.from), end(edge.to)]);
    expect(ends.filter((node) => typeof node === 'number' && innocent.has(node))).toEqual([]);
  });

  it('a reader waits for any of the writers of its pipe', async () => {
    const [sleeper = 0, stopped = 0, reader = 0] = await fixture('streams', ['writers']);
    expect(from(await look(), reader)).toEqual([
      [sleeper, 'pipe-writer', 'any'],
      [stopped, 'pipe-writer', 'any'],
    ]);
  });

  it('a FIFO is a pipe, and nobody is at the other end of one that is opened', async () => {
    const path = join(temporaryFolder(), 'fi\nfo');
    const [reader = 0, writer = 0] = await fixture('streams', ['fifo', path]);
    const [opens = 0] = await fixture('streams', ['fifo-open', `${path}2`]);
    const seen = await look();
    expect(from(seen, reader)).toEqual([[writer, 'pipe-writer', '']]);
    expect(from(seen, opens)).toEqual([[`fifo ${path}2`, 'pipe-writer', 'inferred']]);
    expect(resourceFrom(seen, opens)).toMatchObject({ kind: 'pipe', name: `${path}2`, hangs: false });
  });

  it('who reads a FIFO that a stopped process only keeps open is idle', async () => {
    const path = join(temporaryFolder(), 'fifo');
    shell(`mkfifo ${path}`);
    const keeps = await startedPython(['python3', '-c', KEEPS, path], 'ready');
    const reader = Number(readFileSync(`/proc/${keeps}/task/${keeps}/children`, 'latin1'));
    await inFunction(reader, 'pipe_read');
    process.kill(keeps, 'SIGSTOP');
    expect(from(await look(), reader)).toEqual([]);
    const { stdout } = await kstack(['why', '-p', `${keeps},${reader}`, '--source', source]);
    expect(stdout).toMatch(/^Nothing holds up the /);
  });

  it('clients of a stopped UNIX server lead to it, whether it has accepted them or not', async () => {
    const [server = 0, accepted = 0, queued = 0, connects = 0] = await fixture('streams', [
      'unix',
      `kstack ${process.pid} ${source}`,
    ]);
    const seen = await look();
    expect(from(seen, accepted)).toEqual([[server, 'socket-peer', '']]);
    expect(from(seen, queued)).toEqual([[server, 'socket-peer', '']]);
    expect(from(seen, connects)).toEqual([[server, 'socket-peer', 'inferred']]);
  });

  it('senders of datagrams lead to the receiver whose queue is full', async () => {
    const [receiver = 0, connected = 0, byName = 0] = await fixture('streams', [
      'datagrams',
      `kstack ${process.pid} ${source} datagrams`,
    ]);
    const seen = await look();
    expect(from(seen, connected)).toEqual([[receiver, 'socket-peer', '']]);
    expect(from(seen, byName)).toEqual([[receiver, 'socket-peer', 'inferred']]);
  });

  it.each(['4', '6'])('clients of a stopped TCP server on this host lead to it: IPv%s', async (version) => {
    const [server = 0, accepted = 0, queued = 0] = await fixture('streams', ['tcp', version]);
    const seen = await look();
    expect(from(seen, accepted)).toEqual([[server, 'socket-peer', '']]);
    expect(from(seen, queued)).toEqual([[server, 'socket-peer', 'inferred']]);
  });

  it('clients of a TCP server in another network namespace lead to it, also if it is frozen', async (context) => {
    requires(context, 'ip', 'python3', 'cgroup2');
    const { server, client } = await acrossNamespaces();
    expect(from(await look(), client)).toEqual([[server, 'socket-peer', 'inferred']]);
    const why = async () =>
      (await kstack(['why', '-p', `${server},${client}`, '--source', source])).stdout.split('\n')[0];
    expect(await why()).toMatch(/^Nothing holds up the /);
    const group = new FrozenGroup(2);
    await group.freeze(server);
    expect(await why()).toBe(`2 tasks wait, directly or through others, for ${group.folder}, which is frozen.`);
  });

  it('a writer to a pseudoterminal waits for whoever has its master open', async (context) => {
    requires(context, 'python3');
    const terminal = await startedPython(['python3', '-c', TERMINAL], 'ready');
    const writer = Number(readFileSync(`/proc/${terminal}/task/${terminal}/children`, 'latin1'));
    await inFunction(writer, 'n_tty_write');
    expect(from(await look(), writer)).toEqual([[terminal, 'terminal', 'inferred']]);
    process.kill(terminal, 'SIGSTOP');
    const { stdout } = await kstack(['why', '-p', `${terminal},${writer}`, '--source', source]);
    expect(stdout).toMatch(
      new RegExp(`^1 task waits, directly or through others, for ${terminal} \\S+, which is stopped by a signal\\.\n`),
    );
    expect(stdout).toContain(` waits for ${terminal} python3 to read from its terminal (inferred)\n`);
  });

  it('one that waits at its own pipe or socketpair waits for ever, unless a signal handler may write', async () => {
    const [pipe = 0] = await fixture('streams', ['pipe']);
    const [socketpair = 0] = await fixture('streams', ['socketpair']);
    const [handler = 0] = await fixture('streams', ['handler']);
    const seen = await look();
    const condition = 'has its other end open in no process but the one that waits for it';
    expect(resourceFrom(seen, pipe)).toMatchObject({ kind: 'pipe', condition, hangs: true });
    expect(resourceFrom(seen, socketpair)).toMatchObject({ kind: 'socket', condition, hangs: true });
    expect(resourceFrom(seen, handler)).toMatchObject({ kind: 'pipe', condition, hangs: false });
  });

  it('who reads the pipe of a parent that waits for it is in a deadlock, unless a signal handler may write', async () => {
    const [deaf = 0] = await fixture('streams', ['parent']);
    const [handles = 0] = await fixture('streams', ['parent-handler']);
    const childOf = (pid: number) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1'));
    const [reader, other] = [childOf(deaf), childOf(handles)];
    const seen = await look();
    expect(from(seen, deaf)).toEqual([[reader, 'child', '']]);
    expect(from(seen, reader)).toEqual([[deaf, 'pipe-writer', '']]);
    expect(from(seen, handles)).toEqual([[other, 'child', '']]);
    expect(from(seen, other)).toEqual([]);
    const { stdout } = await kstack(['why', '-p', [deaf, reader, handles, other].join(',')]);
    expect(stdout).toMatch(new RegExp(`^Deadlock: ${deaf} streams, ${reader} streams wait for each other\\.\n`));
    expect(stdout).not.toMatch(new RegExp(`\\b(?:${handles}|${other})\\b`));
  });

  it('one that waits at the pipe of its process waits for the other threads', async () => {
    const [pid = 0] = await fixture('streams', ['threads']);
    const seen = await look();
    const other = seen.tasks.find((task) => task.pid === pid && task.tid !== pid)?.tid;
    expect(from(seen, pid)).toEqual([[other, 'pipe-writer', '']]);
  });

  // arm64 has no poll but ppoll: the fixture asks that.
  it('a poll of one pipe, without a timeout, waits for its writer', async () => {
    const [writer = 0, , poller = 0] = await fixture('streams', ['poll']);
    expect(from(await look(), poller)).toEqual([[writer, 'pipe-writer', '']]);
  });
}

describe('by /proc', () => {
  beforeEach(needs('root'));
  testsWith('procfs');

  it('the search ends in time where there are many descriptors, and finds what is near', async () => {
    const [reader = 0, writer = 0] = await fixture('streams', ['crowd', '2000', '20']);
    const took = async (args: readonly string[]) => {
      const started = performance.now();
      const { stderr, stdout } = await run(KSTACK, ['-Lv', '--source', 'procfs', ...args]);
      return { milliseconds: performance.now() - started, stderr, stdout };
    };
    // Neither reads system calls, which take longer than all of this.
    const without = await took(['-p', `${reader}`, '-f', 'jsonl']);
    const withEdges = await took(['-p', `${reader}`, '-f', 'json']);
    expect(withEdges.milliseconds).toBeLessThan(without.milliseconds * 3 + 2000);
    const seen: Seen = { ...JSON.parse(withEdges.stdout), stderr: '' };
    if (!/no time left/.test(withEdges.stderr)) expect(from(seen, reader)).toEqual([[writer, 'pipe-writer', '']]);
  });
});

describeBpf('by bpf', () => {
  testsWith('bpf');

  it('the descriptors of all processes come from an iterator', async () => {
    const [, , reader = 0] = await fixture('streams', ['writers']);
    const { edges } = await sampled('bpf');
    const places = edges.filter((edge) => end(edge.from) === reader).map(({ evidence }) => evidence.at(-1)?.place);
    expect(new Set(places)).toEqual(new Set(['BPF iterator task_file']));
  });
});

describeBpf('by bpf, where the kernel refuses the program for descriptors', () => {
  const LOADS = /BPF_PROG_LOAD, \{prog_type=BPF_PROG_TYPE_SYSCALL/;
  let around: readonly string[] | undefined;

  /** Fails the loader program that is loaded last: that for descriptors, if there is a wait at a pipe. */
  async function refused(): Promise<readonly string[]> {
    if (around === undefined) {
      const loads = await bpfCalls(['-aL', '-f', 'json', '--source', 'bpf'], LOADS);
      around = withFailing('EPERM', `${loads.at(-1) ?? 0}`);
    }
    return around;
  }

  it('-v says so, and the links in /proc tell', async () => {
    const [, , reader = 0] = await fixture('streams', ['writers']);
    const isRefused = /bpf: who has a pipe or socket open: .*EPERM; reading the links in \/proc\/PID\/fd instead/;
    let { edges, stderr } = await sampled('bpf', await refused());
    // Which call it is depends on the tasks of the host.
    for (let tries = 0; tries < 3 && !isRefused.test(stderr); tries++) {
      around = undefined;
      ({ edges, stderr } = await sampled('bpf', await refused()));
    }
    expect(stderr).toMatch(isRefused);
    const places = edges.filter((edge) => end(edge.from) === reader).map(({ evidence }) => evidence.at(-1)?.place);
    expect(places).toHaveLength(2);
    for (const place of places) expect(place).toMatch(/^\/proc\/\d+\/fd\/\d+$/);
  });
});
