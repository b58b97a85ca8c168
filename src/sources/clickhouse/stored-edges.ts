import { EDGE_KINDS, type Edge, type NodeKey, RESOURCE_KINDS, type Resource } from '../../model/edge.ts';
import type { Cells } from './cells.ts';

/** The edges and resources of one sample, from rows of waits. */
export function graphIn(rows: readonly Cells[]): { edges?: readonly Edge[]; resources?: readonly Resource[] } {
  const edges: Edge[] = [];
  const resources = new Map<string, Resource>();
  for (const row of rows) {
    const by = EDGE_KINDS.find((kind) => kind === row.text('how'));
    const [from, to] = [nodeIn(row, 'from', resources), nodeIn(row, 'to', resources)];
    if (by === undefined || from === undefined || to === undefined) continue;
    edges.push({
      from,
      to,
      by,
      ...(row.flag('any_of') && { any: true }),
      ...(row.flag('inferred') && { inferred: true }),
      evidence: evidenceIn(row.toldText('evidence')),
    });
  }
  return {
    ...(edges.length > 0 && { edges }),
    ...(resources.size > 0 && { resources: [...resources.values()] }),
  };
}

function nodeIn(row: Cells, end: 'from' | 'to', resources: Map<string, Resource>): NodeKey | undefined {
  const [tid, key] = [row.number(`${end}_tid`), row.text(`${end}_resource`)];
  if (key === undefined) return tid;
  const kind = RESOURCE_KINDS.find((name) => name === row.text(`${end}_kind`));
  if (kind === undefined) return undefined;
  const condition = end === 'to' ? row.text('to_condition') : undefined;
  const known = resources.get(key);
  if (known === undefined || condition !== undefined)
    resources.set(key, {
      key,
      kind,
      name: row.text(`${end}_name`) ?? key,
      ...(condition !== undefined && { condition }),
      evidence: known?.evidence ?? [],
    });
  return key;
}

function evidenceIn(text: string): Edge['evidence'] {
  if (text === '') return [];
  return text.split('\n').map((line) => {
    const [, place = '', rest = line] = /^(.*?): (.*)$/s.exec(line) ?? [];
    return { place, text: rest };
  });
}
