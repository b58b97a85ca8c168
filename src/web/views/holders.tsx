import { useMemo, useState } from 'preact/hooks';
import { waitGraph } from '../../analysis/holders/wait-graph.ts';
import { lastLinked } from '../../analysis/last-linked.ts';
import type { NodeKey } from '../../model/edge.ts';
import type { Sample } from '../../model/sample.ts';
import { edgePhrase } from '../../sinks/edge-phrases.ts';
import { namesOf } from '../../sinks/long-waits.ts';
import { type GraphLayout, type GraphLink, type GraphNode, layoutGraph } from '../graph-layout.ts';
import { samplesShown } from '../state.ts';
import { counted, dateText } from '../words.ts';

const [COLUMN, ROW, WIDE, HIGH] = [350, 42, 240, 30];
const LETTERS = 30;
/** Of the word on a line, between two columns. */
const BY_LETTERS = 16;
const MOST_NAMES = 500;

/** Who waits for whom, in the last sample of the chosen time in which somebody does. */
export function HoldersView() {
  const samples = samplesShown.value;
  const sample = useMemo(() => lastLinked(samples), [samples]);
  if (sample === undefined) return <p class="empty">In no sample of this time is it known who holds up whom.</p>;
  return <Graph sample={sample} />;
}

function Graph({ sample }: { sample: Sample }) {
  const { observations, holders, resources } = sample;
  const [opened, setOpened] = useState<GraphNode | undefined>(undefined);
  const layout = useMemo(() => layoutGraph(waitGraph(sample)), [sample]);
  const names = useMemo(() => namesOf([{ observations }, { observations: holders }], resources), [sample]);
  const state = useMemo(() => statesOf(sample), [sample]);
  return (
    <article>
      <p class="when">
        {sample.timeMs === undefined ? 'At an unknown time' : dateText(sample.timeMs)}: what is right of something waits
        for it. A dashed line is inferred. Enter or a click lists the tasks of a box.
      </p>
      <div class="graph">
        <Picture layout={layout} names={names} state={state} opened={opened} open={setOpened} />
      </div>
      {layout.undrawn > 0 && (
        <p class="more">
          No room for {layout.undrawn.toLocaleString('en')} more that wait or are waited for: those that hold up fewest.
          The view Tasks lists all tasks.
        </p>
      )}
      {opened !== undefined && (
        <section aria-label="The tasks of a box">
          <h2>{counted(opened.keys.length, 'waiter')}</h2>
          <ul class="names">
            {opened.keys.slice(0, MOST_NAMES).map((key) => (
              <li key={String(key)}>{names(key)}</li>
            ))}
          </ul>
        </section>
      )}
    </article>
  );
}

/** What is unusual about each node: a task's state, a resource's condition. */
function statesOf({ observations, holders, resources = [] }: Sample): (key: NodeKey) => string {
  const words = new Map<NodeKey, string>();
  for (const { task, state } of [...observations, ...holders])
    if (task.id.tid !== undefined && state !== undefined) words.set(task.id.tid, state);
  for (const { key, condition } of resources) if (condition !== undefined) words.set(key, condition);
  return (key) => words.get(key) ?? '';
}

/** Short enough to stand in a box. */
const STATES: ReadonlySet<string> = new Set(['R', 'S', 'D', 'Z', 'T', 't', 'I', 'X', 'P']);

interface PictureProps {
  readonly layout: GraphLayout;
  readonly names: (key: NodeKey) => string;
  readonly state: (key: NodeKey) => string;
  readonly opened: GraphNode | undefined;
  readonly open: (node: GraphNode) => void;
}

function Picture({ layout, names, state, opened, open }: PictureProps) {
  const { nodes, links, columns, rows } = layout;
  // One for each box that waits: lines meet there. A line back to the left has no room for it.
  const labelled = new Map(links.filter(({ from, to }) => from.column > to.column).map((link) => [link.from, link]));
  const [wide, high] = [columns * COLUMN, rows * ROW + 10];
  return (
    <svg width={wide} height={high} viewBox={`-1 0 ${wide} ${high}`} role="group" aria-label="The wait-for graph">
      {links.map(({ from, to, by, inferred }, at) => {
        const [x1, y1, x2, y2] = endsOf({ from, to });
        const middle = (x1 + x2) / 2;
        return (
          <path
            key={at}
            class={`link${inferred ? ' inferred' : ''}`}
            d={`M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`}
          >
            <title>{`waits for ${edgePhrase({ by, to: to.keys[0] ?? '', ...(inferred && { inferred }) }, names)}`}</title>
          </path>
        );
      })}
      {[...labelled.values()].map((link) => {
        const [x1, , x2, y2] = endsOf(link);
        return (
          <text key={link.from.id} class="by" x={(x1 + x2) / 2} y={y2}>
            {shortened(link.by, BY_LETTERS)}
          </text>
        );
      })}
      {nodes.map((node) => (
        <g
          key={node.id}
          class={`node${node.column === 0 ? ' root' : ''}${node.isDeadlocked ? ' deadlocked' : ''}${node === opened ? ' opened' : ''}`}
          transform={`translate(${node.column * COLUMN} ${node.row * ROW + 4})`}
          role="button"
          tabIndex={0}
          aria-label={`${labelOf(node, names)} ${node.isDeadlocked ? 'deadlocked' : ''}`}
          onClick={() => open(node)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') open(node);
          }}
        >
          <rect width={WIDE} height={HIGH} rx={4} />
          <text x={8} y={HIGH / 2}>
            {shortened(labelOf(node, names), LETTERS)}
          </text>
          <text class="badge" x={WIDE - 8} y={HIGH / 2}>
            {node.keys.length === 1 && STATES.has(state(node.keys[0] ?? '')) && state(node.keys[0] ?? '')}
          </text>
          <title>{`${labelOf(node, names)} ${node.keys.length === 1 ? state(node.keys[0] ?? '') : ''}`}</title>
        </g>
      ))}
    </svg>
  );
}

/** Where a line begins, at what is waited for, and where it ends. */
function endsOf({
  from,
  to,
}: Pick<GraphLink, 'from' | 'to'>): readonly [x1: number, y1: number, x2: number, y2: number] {
  const middleOf = ({ row }: GraphNode) => row * ROW + HIGH / 2 + 4;
  return [to.column * COLUMN + WIDE, middleOf(to), from.column * COLUMN, middleOf(from)];
}

/** `1234 touch`, or `300 x postgres`. */
function labelOf({ keys }: GraphNode, names: (key: NodeKey) => string): string {
  const [first = ''] = keys;
  if (keys.length === 1) return names(first);
  const kinds = new Set(keys.map((key) => names(key).replace(/^\d+ /, '')));
  return `${keys.length} x ${[...kinds].slice(0, 3).join(', ')}${kinds.size > 3 ? ', ...' : ''}`;
}

function shortened(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}
