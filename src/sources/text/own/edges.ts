import {
  EDGE_KINDS,
  type Edge,
  type Evidence,
  edgeKey,
  edgesOf,
  type NodeKey,
  RESOURCE_KINDS,
  type Resource,
} from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { Fields, isObject, Malformed } from './fields.ts';

/** Nobody needs more to believe an edge. */
const MOST_EVIDENCE = 16;

/** Whether this has the properties of an edge of a sample. */
export function isSampleEdge(value: unknown): boolean {
  return isObject(value) && ['from', 'to', 'by', 'any', 'inferred', 'evidence'].every((name) => name in value);
}

/**
 * An edge of `kstack -f json` (schema/kstack-sample-1.schema.json), read back.
 * @throws Malformed
 */
export function edgeRecord(fields: Fields): Edge {
  const by = fields.oneOf('by', EDGE_KINDS);
  if (by === undefined) throw new Malformed('edges: an edge that does not tell its kind');
  const any = fields.flag('any') === true;
  const inferred = fields.flag('inferred') === true;
  return {
    from: nodeIn(fields, 'from'),
    to: nodeIn(fields, 'to'),
    by,
    ...(any && { any }),
    ...(inferred && { inferred }),
    evidence: evidenceIn(fields),
  };
}

/** @throws Malformed */
export function resourceRecord(fields: Fields): Resource {
  const key = fields.text('key');
  const kind = fields.oneOf('kind', RESOURCE_KINDS);
  const name = fields.text('name');
  if (key === undefined || kind === undefined || name === undefined)
    throw new Malformed('resources: a resource without its key, its kind or its name');
  const condition = fields.text('condition');
  const hangs = fields.flag('hangs') === true;
  const inferred = fields.flag('inferred') === true;
  return {
    key,
    kind,
    name,
    ...(condition !== undefined && { condition }),
    ...(hangs && { hangs }),
    ...(inferred && { inferred }),
    evidence: evidenceIn(fields),
  };
}

/** The edges that the facts about these tasks do not tell already. */
export function edgesBeyondFacts(edges: readonly Edge[], tasks: readonly Observation[]): Edge[] {
  if (edges.length === 0) return [];
  const told = new Set(tasks.flatMap(edgesOf).map(edgeKey));
  return edges.filter((edge) => !told.has(edgeKey(edge)));
}

function nodeIn(fields: Fields, name: string): NodeKey {
  const node = fields.object(name);
  const key = node?.count('tid', 1) ?? node?.text('resource');
  if (key === undefined) throw new Malformed(`edges: an edge without a task or a resource in '${name}'`);
  return key;
}

function evidenceIn(fields: Fields): Evidence[] {
  const list = fields.list('evidence') ?? [];
  if (list.length > MOST_EVIDENCE) throw new Malformed(`edges: ${list.length} pieces of evidence`);
  return list.map((value, at) => {
    const each = new Fields(value, `evidence[${at}]`);
    const timeMs = each.time('readAt');
    return {
      place: each.text('place') ?? '',
      text: each.text('text') ?? '',
      ...(timeMs !== undefined && { timeMs }),
    };
  });
}
