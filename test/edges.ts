import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { ended, fixture, fixturePath, kstack, testRequires } from './harness.ts';

interface JsonNode {
  readonly tid: number | null;
  readonly resource: string | null;
}

export interface JsonEdge {
  readonly id: number;
  readonly from: JsonNode;
  readonly to: JsonNode;
  readonly by: string;
  readonly any: boolean;
  readonly inferred: boolean;
  readonly evidence: readonly { readonly place: string; readonly text: string }[];
}

export interface JsonEdges {
  readonly edges: readonly JsonEdge[];
  readonly waits: readonly {
    readonly root: JsonNode | null;
    readonly deadlock: boolean;
    readonly edges: readonly number[];
  }[];
  readonly resources: readonly {
    readonly key: string;
    readonly name: string;
    readonly condition: string | null;
    readonly hangs: boolean;
  }[];
  readonly tasks: readonly { readonly tid: number; readonly pid: number }[];
}

/** Starts 50 processes that sleep, with a thread each, and looks at every thread of the host: none of them may be in it. */
export async function allEdges(): Promise<JsonEdges> {
  const [parent = 0] = await fixture('tasks', ['crowd', '50']);
  const sleepers = readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1').trim().split(' ').map(Number);
  expect(sleepers.length).toBe(50);
  const { code, stdout } = await kstack(['-aLf', 'json']);
  expect(code).toBe(0);
  const told: JsonEdges = JSON.parse(stdout);
  const innocent = new Set(told.tasks.filter(({ pid }) => sleepers.includes(pid)).map(({ tid }) => tid));
  expect(innocent.size).toBe(100);
  for (const { from, to } of told.edges)
    for (const { tid } of [from, to]) if (tid !== null) expect(innocent).not.toContain(tid);
  return told;
}

/** The edges of these kinds from tasks that have a name: `waiter futex owner`, sorted. Others have their number. */
export function named(edges: readonly JsonEdge[], names: Readonly<Record<string, number>>, kinds: readonly string[]) {
  const byTid = new Map(Object.entries(names).map(([name, tid]) => [tid, name]));
  const nameOf = ({ tid, resource }: JsonNode) => resource ?? byTid.get(tid ?? 0) ?? `${tid}`;
  return edges
    .filter(({ from, by }) => kinds.includes(by) && from.tid !== null && byTid.has(from.tid))
    .map(({ from, by, to, any }) => `${nameOf(from)} ${by} ${nameOf(to)}${any ? ' (any)' : ''}`)
    .sort();
}

/** A fixture in a PID namespace of its own. Resolves to the numbers that this procfs has for those that it prints. */
export async function fixtureInNamespace(name: string, args: readonly string[]): Promise<number[]> {
  testRequires('root', 'compiler');
  const child = spawn('unshare', ['-pf', '--mount-proc', '--kill-child', fixturePath(name), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const end = ended(child);
  onTestFinished(async () => {
    child.stdin.end();
    await end;
  });
  const numbers = await new Promise<number[]>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes;
      if (text.includes('\n')) resolve(text.trim().split(' ').slice(1).map(Number));
    });
    child.on('close', () => reject(new Error(`${name} ended before it was ready`)));
  });
  const tids = tidsInNamespaceOf(child.pid ?? 0);
  return numbers.map((number) => tids.get(number) ?? 0);
}

/** The tasks in the namespace in which the children of a process are, by their numbers there. */
function tidsInNamespaceOf(parent: number): Map<number, number> {
  const namespace = readlinkSync(`/proc/${parent}/ns/pid_for_children`);
  const tids = new Map<number, number>();
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)))
    try {
      if (readlinkSync(`/proc/${pid}/ns/pid`) !== namespace) continue;
      for (const tid of readdirSync(`/proc/${pid}/task`)) {
        const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1');
        tids.set(Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1]), Number(tid));
      }
    } catch {
      // It has ended.
    }
  return tids;
}

/** On a machine that is busy with other things, a look may end before all is found, and says so. */
const MOST_LOOKS = 10;

/** The edges of every thread of the host, in short, and their ends. `unknown` must not be said to be unknown. */
export async function edgesBy(source: string, unknown: RegExp) {
  const args = ['-aL', '-f', 'json', '-v', '--source', source];
  let { code, stdout, stderr } = await kstack(args);
  for (let looks = 1; stderr.includes('no time left') && looks < MOST_LOOKS; looks++)
    ({ code, stdout, stderr } = await kstack(args));
  expect(code).toBe(0);
  expect(stderr).not.toMatch(unknown);
  const { edges, resources, waits }: JsonEdges = JSON.parse(stdout);
  const endOf = ({ tid, resource }: JsonNode) => tid ?? resource;
  return {
    edges: edges.map(({ from, to, by, inferred }) => [
      endOf(from),
      by,
      endOf(to),
      inferred ? 'inferred' : 'the kernel says',
    ]),
    ends: new Set(edges.flatMap(({ from, to }) => [endOf(from), endOf(to)])),
    resource: (key: string) => resources.find((each) => each.key === key),
    roots: waits.map(({ root }) => root?.tid ?? root?.resource),
  };
}
