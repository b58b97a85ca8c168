import type { Edge, NodeKey, Resource, Root, WaitGraph } from '../model/edge.ts';
import { EMPTY_NAME } from '../model/empty-name.ts';
import type { ExplainedGroup, Finding } from '../model/finding.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { edgePhrase } from './edge-phrases.ts';

/** The most task numbers shown on one line, and the most lines about holders in a group. */
const MOST_NUMBERS = 8;
const MOST_LINES = 4;

const MOST_ROOTS = 5;

/** The most names in a verdict's sentence. */
export const MOST_NAMES = 4;

/** What tasks are that wait for each other. */
export function deadlockText(isCertain: boolean): string {
  return isCertain ? 'deadlock' : 'may be a deadlock';
}

/** The same at the beginning of a sentence. */
export function deadlockTitle(isCertain: boolean): string {
  const text = deadlockText(isCertain);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Returns a function that names a task of these groups by its TID, and a resource of the sample by its key. */
export function namesOf(
  groups: readonly Pick<ExplainedGroup, 'observations'>[],
  resources: readonly Resource[] = [],
): (key: NodeKey) => string {
  const names = new Map<NodeKey, string>();
  for (const { observations } of groups)
    for (const { task } of observations)
      if (task.id.tid !== undefined) names.set(task.id.tid, `${task.id.tid} ${escapeUnsafe(shownComm(task.comm))}`);
  for (const { key, name } of resources) names.set(key, escapeUnsafe(name));
  return (key) => names.get(key) ?? (typeof key === 'number' ? `${key} (ended, or left out)` : escapeUnsafe(key));
}

/** A task may have no name, which is not seen without quotes. */
export function shownComm(comm = '?'): string {
  return comm === '' ? EMPTY_NAME : comm;
}

/** Who holds up whom: `4713 touch holds up 2 tasks, and itself ...`. The root that holds up most comes first. */
export function waitLines(
  { roots, cycles }: WaitGraph,
  groups: readonly ExplainedGroup[],
  names: (key: NodeKey) => string,
): string[] {
  const findings = new Map<NodeKey, Finding>();
  for (const { observations, finding } of groups)
    for (const { task } of observations) if (task.id.tid !== undefined) findings.set(task.id.tid, finding);
  const lines = cycles.map(({ edges, isCertain }) => {
    const shown = edges.slice(0, MOST_NUMBERS);
    const parts = shown.map((edge) => `${names(edge.from)} waits for ${edgePhrase(edge, names)}`);
    return `${deadlockText(isCertain)}: ${parts.join('; ')}${edges.length > MOST_NUMBERS ? '; ...' : ''}`;
  });
  for (const root of roots.slice(0, MOST_ROOTS)) {
    const { key, tasks, edges, isAtLeast } = root;
    const itself = whatItDoes(root, findings.get(key));
    const count = `${isAtLeast === true ? 'at least ' : ''}${tasks} ${tasks === 1 ? 'task' : 'tasks'}`;
    lines.push(`${names(key)} holds up ${count}${itself}`);
    for (const [edge, keys] of byTarget(edges))
      lines.push(
        `  ${someNames(keys, names, MOST_NUMBERS)} ${keys.length === 1 ? 'waits' : 'wait'} for ${edgePhrase(edge, names)}`,
      );
  }
  if (roots.length > MOST_ROOTS) lines.push(`... ${roots.length - MOST_ROOTS} more hold up others`);
  return lines;
}

function whatItDoes({ key, observation, resource }: Root, finding: Finding | undefined): string {
  if (typeof key === 'string')
    return resource?.condition === undefined ? '' : `, and itself ${escapeUnsafe(resource.condition)}`;
  if (observation === undefined) return ', and itself was not seen';
  if (observation.state === 'R') return ', and itself is on a CPU, or ready to run';
  if ('unread' in observation.stack && observation.stack.unread === 'notTold')
    return ', and the text has no stack of it';
  return `, and itself ${finding === undefined ? `is in state ${observation.state}` : whatForWithin(finding)}`;
}

/** Merges the edges with the same end and kind, and lists their starts. */
export function byTarget(edges: readonly Edge[]): [Edge, NodeKey[]][] {
  const alike = new Map<string, [Edge, NodeKey[]]>();
  for (const edge of edges) {
    const key = `${edge.to} ${edge.by}`;
    const entry = alike.get(key);
    if (entry === undefined) alike.set(key, [edge, [edge.from]]);
    else entry[1].push(edge.from);
  }
  return [...alike.values()];
}

/** `14137 touch, 14140 cp`; of more than so many, those of one name stand together: `300 x postgres, 14137 touch`. */
export function someNames(keys: readonly NodeKey[], names: (key: NodeKey) => string, most: number): string {
  const kinds = new Map<string, NodeKey[]>();
  for (const key of keys) {
    const name = names(key);
    const kind = typeof key === 'number' ? name.replace(/^\d+ /, '') : name;
    const alike = kinds.get(kind);
    if (alike === undefined) kinds.set(kind, [key]);
    else alike.push(key);
  }
  const shown = [...kinds].slice(0, most).map(([kind, alike]) => {
    return keys.length > most && alike.length > 1 ? `${alike.length} x ${kind}` : alike.map(names).join(', ');
  });
  return `${shown.join(', ')}${kinds.size > most ? ` ... (+${kinds.size - most})` : ''}`;
}

/** What the group's tasks wait for, as far as the graph tells, or that nobody holds it, if the rule knows that. */
export function behindLines(
  { observations, finding }: ExplainedGroup,
  out: ReadonlyMap<NodeKey, readonly Edge[]>,
  names: (key: NodeKey) => string,
): string[] {
  const edges = observations.flatMap(({ task }) => (task.id.tid === undefined ? [] : (out.get(task.id.tid) ?? [])));
  const lines = byTarget(edges).map(
    ([edge, keys]) => `${edgePhrase(edge, names)}${keys.length === 1 ? '' : `  x ${keys.length}`}`,
  );
  if (finding.rule?.includes('frozen') === true && lines.length === 0)
    return ['no task holds it: the file system is frozen until it is thawed'];
  return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), `(${lines.length - MOST_LINES} others)`] : lines;
}

/** What a group's tasks wait for, as a sentence without its subject. */
export function whatFor({ kind, waitsFor }: Finding): string {
  if (kind === 'running') return escapeUnsafe(waitsFor.replace(/^nothing: /, ''));
  return escapeUnsafe(kind === 'unexplained' ? waitsFor : `waits for ${waitsFor}`);
}

/** The same, and where: for tasks that share a stack. */
export function whatForWithin(finding: Finding): string {
  return finding.within === undefined ? whatFor(finding) : `${whatFor(finding)}, ${escapeUnsafe(finding.within)}`;
}
