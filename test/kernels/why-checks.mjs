// What must be told of who holds up whom: over user-space locks, file locks, pipes, locks of the kernel, a frozen mount.
import assert from 'node:assert/strict';

/** [name, check, source] */
export const WHY_CHECKS = [
  ['frozen file system: why names it', frozen],
  ...['procfs', 'bpf'].flatMap((source) => [
    [`why: ${source} tells a deadlock of two threads over futexes`, (files) => deadlock(files, source), source],
    [`why: ${source} tells who holds the lock of a file`, (files) => fileLock(files, source), source],
    [`why: ${source} tells the last stage of a pipeline, which is stopped`, (files) => pipeline(files, source), source],
    [`why: ${source} tells the suspended device`, (files) => suspended(files, source), source],
  ]),
];

/** The same for locks of the kernel, from the stacks of who waits for them: 6.16 is the first that records them. */
export const LOCK_CHECKS = [
  ['bpf: who holds a mutex, by the stack of who waits', (files) => lock(files, 'mutex'), 'bpf'],
  ['bpf: who holds an rw-semaphore, by the stack of who waits to write', (files) => lock(files, 'rwsem-write'), 'bpf'],
  ['bpf: who holds an rw-semaphore, by the stack of who waits to read', (files) => lock(files, 'rwsem-read'), 'bpf'],
];

function verdictOf(files, name) {
  assert.equal(files.ran(name).code, '0', files.text(`${name}.err`).slice(0, 600));
  const verdict = JSON.parse(files.text(`${name}.out`));
  return { ...verdict, told: JSON.stringify(verdict, undefined, 1) };
}

/** The edges that lead to a root, as [from, by, to]. */
function edgesTo({ edges, told }, root) {
  assert.ok(root, told);
  return root.edges.map((id) => triple(edges[id]));
}

const node = ({ tid, resource }) => tid ?? resource;
const triple = ({ from, by, to }) => [node(from), by, node(to)];
const has = (edges, wanted) => edges.some((edge) => edge.every((part, at) => part === wanted[at]));

function frozen(files) {
  const verdict = verdictOf(files, 'sick.why');
  const root = verdict.roots.find(({ name }) => name === '/fixture/mount');
  assert.equal(root?.trouble, 'hangs', verdict.told);
  const [parent] = files.fixture('mmap-lock').pids;
  assert.ok(has(edgesTo(verdict, root), [parent, 'frozen', root.resource]), verdict.told);
}

function deadlock(files, source) {
  const verdict = verdictOf(files, `why.${source}`);
  const [, one, two, third] = files.fixture('deadlock').pids;
  const [found, ...others] = verdict.deadlocks;
  assert.deepEqual(others, [], verdict.told);
  const edges = found.edges.map((id) => triple(verdict.edges[id]));
  assert.equal(edges.length, 2, verdict.told);
  assert.ok(has(edges, [one, 'futex', two]) && has(edges, [two, 'futex', one]), verdict.told);
  assert.deepEqual([found.certain, found.behind], [true, [third]], verdict.told);
}

function fileLock(files, source) {
  const verdict = verdictOf(files, `why.${source}`);
  const [holder, ...waiters] = files.fixture('flock').pids;
  const root = verdict.roots.find(({ tid }) => tid === holder);
  assert.equal(root?.trouble, 'awaited', verdict.told);
  const edges = edgesTo(verdict, root);
  // Before 5.13, /proc/locks has no waiter that waits behind another one.
  const listed = /^5\.10\./.test(verdict.kernel) ? waiters.slice(0, 1) : waiters;
  for (const waiter of listed) assert.ok(has(edges, [waiter, 'flock', holder]), verdict.told);
}

function pipeline(files, source) {
  const verdict = verdictOf(files, `why.${source}`);
  const [one, two, copies, stopped] = files.fixture('pipeline').pids;
  const root = verdict.roots.find(({ tid }) => tid === stopped);
  assert.equal(root?.trouble, 'stopped', verdict.told);
  const edges = edgesTo(verdict, root);
  for (const [from, to] of [
    [one, copies],
    [two, copies],
    [copies, stopped],
  ])
    assert.ok(has(edges, [from, 'pipe-reader', to]), verdict.told);
}

function suspended(files, source) {
  const verdict = verdictOf(files, `why.${source}`);
  const [writer, reader, dm] = files.fixture('dm').pids;
  const root = verdict.roots.find(({ name }) => name === `dm-${dm}`);
  assert.equal(root?.trouble, 'hangs', verdict.told);
  const from = new Set(edgesTo(verdict, root).map(([each]) => each));
  for (const tid of [writer, reader]) assert.ok(from.has(tid), verdict.told);
}

function lock(files, by) {
  const [, , , , piper, typist, creator, second, finder] = files.fixture('dm').pids;
  const [waiter, holder] = {
    mutex: [typist, piper],
    'rwsem-write': [second, creator],
    'rwsem-read': [finder, creator],
  }[by];
  const { edges } = JSON.parse(files.text('dm.bpf.out'));
  const of = edges.filter(({ from }) => from.tid === waiter);
  const told = JSON.stringify({ pids: files.fixture('dm').pids, of, edges }, undefined, 1);
  assert.deepEqual(of.map(triple), [[waiter, by, holder]], told);
  assert.equal(of[0].inferred, false, told);
  assert.match(of[0].evidence[0].place, /^(?:mutex|rwsem)_waiter on its kernel stack$/, told);
}
