import {
  type Edge,
  type Evidence,
  edgeKey,
  isCertain,
  type NodeKey,
  type Resource,
  tasksByTid,
} from '../../model/edge.ts';
import { escapeInvalid } from '../../model/raw-text.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import type { Task } from '../../model/task.ts';
import { holderOf } from '../holders/holder-times.ts';
import { holdersIn } from '../holders/holding.ts';
import { waitGraph } from '../holders/wait-graph.ts';
import { hashOf } from './hash.ts';
import type { Row, TableRow } from './tables.ts';
import { safe } from './task-row.ts';

/** Where the rows of a sample belong. */
export type Place = Pick<Row<'observations'>, 'sample' | 'time' | 'host'>;

interface Ends {
  readonly tasks: ReadonlyMap<number, Observation>;
  readonly resources: ReadonlyMap<string, Resource>;
  keyOf(task: Task): bigint;
}

/**
 * The edges of a sample, and what they lead to.
 * @param keyOf the key of a task's row
 */
export function* waitRows(sample: Sample, place: Place, keyOf: (task: Task) => bigint): Generator<TableRow> {
  const graph = waitGraph(sample);
  const { edges, roots, cycles } = graph;
  if (edges.length === 0) return;
  const held = new Set(holdersIn(sample, graph));
  const resources = new Map(sample.resources?.map((resource) => [resource.key, resource]));
  const ends: Ends = { tasks: tasksByTid(sample), resources, keyOf };
  for (const edge of edges) yield { table: 'waits', row: edgeRow(edge, place, ends) };
  for (const each of new Set([...roots, ...held])) {
    const { key, tasks, edges: some, isAtLeast = false } = each;
    const waiters = holderOf(each).waiters.join();
    const { kind, tid, task, resource, name, state, condition } = endOf(key, ends);
    const waiting = { tasks, waiters, at_least: isAtLeast, holds_up: held.has(each) };
    const row = { kind, tid, task, resource, name, state, condition, ...waiting };
    const root = hashOf([place.sample, typeof key, key]);
    yield { table: 'roots', row: { root, ...place, ...row, certain: isCertain(some) } };
  }
  for (const { edges: some, isCertain: certain } of cycles) {
    const waiting = new Set(some.flatMap(({ from }) => (typeof from === 'number' ? from : [])));
    const root = hashOf([place.sample, 'deadlock', ...some.map(edgeKey).toSorted()]);
    const counts = { tasks: waiting.size, waiters: [...waiting].join(), at_least: false, holds_up: true };
    const row = { ...NO_END, kind: 'deadlock', ...counts, certain };
    yield { table: 'roots', row: { root, ...place, ...row } };
  }
}

const NO_END = { tid: null, task: null, resource: null, name: null, state: null, condition: null };

function endOf(key: NodeKey, { tasks, resources, keyOf }: Ends) {
  if (typeof key === 'string') {
    const { kind, name, condition } = resources.get(key) ?? {};
    const told = { name: safe(name), condition: safe(condition), state: null };
    return { kind: kind ?? 'resource', tid: null, task: null, resource: escapeInvalid(key), ...told };
  }
  const { task, state = null } = tasks.get(key) ?? {};
  const told = { task: task === undefined ? null : keyOf(task), name: safe(task?.comm), state };
  return { kind: 'task', tid: key, resource: null, condition: null, ...told };
}

function edgeRow(edge: Edge, place: Place, ends: Ends): Row<'waits'> {
  const { by, any = false, inferred = false, evidence } = edge;
  const [from, to] = [endOf(edge.from, ends), endOf(edge.to, ends)];
  return {
    edge: hashOf([place.sample, edgeKey(edge)]),
    ...place,
    how: by,
    from_kind: from.kind,
    from_tid: from.tid,
    from_task: from.task,
    from_resource: from.resource,
    from_name: from.name,
    to_kind: to.kind,
    to_tid: to.tid,
    to_task: to.task,
    to_resource: to.resource,
    to_name: to.name,
    to_condition: to.condition,
    any_of: any,
    inferred,
    evidence: evidence.map(evidenceText).join('\n'),
  };
}

function evidenceText({ place, text }: Evidence): string {
  return escapeInvalid(`${place}: ${text}`);
}
