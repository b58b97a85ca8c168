import type { Edge, Evidence, NodeKey, Resource } from '../model/edge.ts';
import { escapeInvalid } from '../model/raw-text.ts';

// The wait-for graph in JSON. As in json-values.ts, every object of a kind has the same properties.

/** A node is a task or a resource. */
export function nodeOf(key: NodeKey) {
  return typeof key === 'number' ? { tid: key, resource: null } : { tid: null, resource: escapeInvalid(key) };
}

export function edgeEntry({ from, to, by, any, inferred, evidence }: Edge) {
  const marks = { any: any === true, inferred: inferred === true };
  return { from: nodeOf(from), to: nodeOf(to), by, ...marks, evidence: evidence.map(evidenceEntry) };
}

export function resourceEntry({ key, kind, name, condition, hangs, inferred, evidence }: Resource) {
  return {
    key: escapeInvalid(key),
    kind,
    name: escapeInvalid(name),
    condition: condition === undefined ? null : escapeInvalid(condition),
    hangs: hangs === true,
    inferred: inferred === true,
    evidence: evidence.map(evidenceEntry),
  };
}

function evidenceEntry({ place, text, timeMs }: Evidence) {
  return {
    place: escapeInvalid(place),
    text: escapeInvalid(text),
    readAt: timeMs === undefined ? null : new Date(timeMs).toISOString(),
  };
}

/** How many tasks wait in these edges. */
export function tasksIn(edges: readonly Edge[]): number {
  return new Set(edges.flatMap(({ from }) => (typeof from === 'number' ? from : []))).size;
}
