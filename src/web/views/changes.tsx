import { useEffect, useMemo, useState } from 'preact/hooks';
import { type Diff, type DiffedWait, diff } from '../../analysis/times/diff.ts';
import { meanTasks } from '../../sinks/counted.ts';
import { KINDS } from '../../sinks/diff.ts';
import { whatFor } from '../../sinks/long-waits.ts';
import type { Recorded } from '../data.ts';
import { FlameDrawing } from '../flame-drawing.tsx';
import {
  type ComparedNode,
  changeOf,
  comparedTree,
  flameTree,
  type Grouping,
  WIDTHS,
  type Width,
} from '../flame-layout.ts';
import { paced } from '../paced.ts';
import { colourOfChange } from '../palette.ts';
import { SIDES, sides, spanOf } from '../state.ts';
import { counted, dateText, formatDuration, safe, timeText } from '../words.ts';
import { GroupingField, Matched, SearchField, ShowAll, useMatches } from './flame.tsx';

const SHOWN = 50;

/** What `kstack diff` says, and the stacks of both recordings in one picture. */
export function ChangesView() {
  const both = sides.value;
  const [found, setFound] = useState<Diff | undefined>(undefined);
  const [before, after] = [both?.before.samples, both?.after.samples];
  useEffect(() => {
    if (before !== undefined && after !== undefined) void diff(paced(before), paced(after)).then(setFound);
  }, [before, after]);
  if (both === undefined || found === undefined) return <p class="empty">Adding up ...</p>;
  const changed = KINDS.some(([kind]) => found[kind].length > 0);
  return (
    <article class="changes">
      <h2>Blocked tasks on average</h2>
      <dl class="facts">
        {SIDES.map((name) => (
          <SideFact key={name} name={name} recorded={both[name]} />
        ))}
      </dl>
      {!changed && (
        <p class="empty">{found.unchanged > 0 ? 'No wait changed much.' : 'No task was blocked in either.'}</p>
      )}
      {changed && <Waits found={found} />}
      {found.unchanged > 0 && (
        <p class="more">
          {counted(found.unchanged, 'wait')} {found.unchanged === 1 ? 'is' : 'are'} about as before.
        </p>
      )}
      <h2>The stacks of both</h2>
      {both.after.isAddedUp ? <Stacks both={both} /> : <p class="empty">Adding up ...</p>}
    </article>
  );
}

function SideFact({ name, recorded: { samples } }: { name: string; recorded: Recorded }) {
  const { fromMs, toMs } = spanOf(samples);
  const hosts = [...new Set(samples.map(({ host }) => safe(host ?? 'unknown host')))];
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {hosts.slice(0, 3).join(', ')}
        {hosts.length > 3 && ` and ${hosts.length - 3} more`}: {counted(samples.length, 'sample')}
        {toMs > 0 && `, ${dateText(fromMs)}`}
        {toMs > fromMs && ` to ${timeText(toMs)} (${formatDuration(toMs - fromMs)})`}
      </dd>
    </>
  );
}

function Waits({ found }: { found: Diff }) {
  const waits = KINDS.flatMap(([kind]) => found[kind]);
  const most = waits.reduce((sum, { before, after }) => Math.max(sum, before, after), 0);
  return (
    <table class="waits">
      <thead>
        <tr>
          <th scope="col">Change</th>
          <th scope="col" class="number">
            Before
          </th>
          <th scope="col" class="number">
            After
          </th>
          <th scope="col">
            <span class="hidden">As bars</span>
          </th>
          <th scope="col">Waits for</th>
        </tr>
      </thead>
      <tbody>
        {KINDS.flatMap(([kind, title]) =>
          found[kind].slice(0, SHOWN).map((wait, at) => <WaitRow key={`${kind}${at}`} {...{ wait, title, most }} />),
        )}
      </tbody>
      {KINDS.some(([kind]) => found[kind].length > SHOWN) && (
        <caption>Of each kind, the {SHOWN} that changed most are shown</caption>
      )}
    </table>
  );
}

function WaitRow({ wait, title, most }: { wait: DiffedWait; title: string; most: number }) {
  const { before, after, finding, stack } = wait;
  return (
    <tr>
      <td>
        <span class={`change ${title}`}>{title}</span>
      </td>
      <td class="number">{meanTasks(before)}</td>
      <td class="number">{meanTasks(after)}</td>
      <td class="pair" aria-hidden="true">
        {[before, after].map((mean, at) => (
          <span key={at} class={SIDES[at]} style={{ '--share': mean / most }} />
        ))}
      </td>
      <td class="what">
        {stack === undefined ? (
          safe(whatFor(finding))
        ) : (
          <details>
            <summary>{safe(whatFor(finding))}</summary>
            <pre>{stack.frames.map(({ raw }) => safe(raw)).join('\n')}</pre>
          </details>
        )}
      </td>
    </tr>
  );
}

function Stacks({ both }: { both: Readonly<Record<(typeof SIDES)[number], Recorded>> }) {
  const [by, setBy] = useState<Grouping>('function');
  const [width, setWidth] = useState<Width>('larger');
  const [zoomed, setZoomed] = useState<ComparedNode | undefined>(undefined);
  const tree = useMemo(() => {
    setZoomed(undefined);
    const treeOf = ({ samples, lives }: Recorded) => {
      const span = spanOf(samples);
      return { tree: flameTree(lives.all(), span, by, false), seconds: (span.toMs - span.fromMs) / 1000 || 1 };
    };
    return comparedTree(treeOf(both.before), treeOf(both.after), width);
  }, [both, by, width]);
  const root = zoomed ?? tree;
  const matches = useMatches();
  if (tree.before + tree.after === 0)
    return <p class="empty">No task was blocked, running or unexplained at a known time.</p>;
  return (
    <div class="flame">
      <div class="tools">
        <SearchField />
        <GroupingField by={by} choose={setBy} />
        <label>
          Width{' '}
          <select value={width} onChange={(event) => setWidth(event.currentTarget.value as Width)}>
            {Object.entries(WIDTHS).map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <ShowAll zoomed={zoomed} show={setZoomed} />
        <Matched root={root} matches={matches} />
        <Scale />
      </div>
      <FlameDrawing root={root} matches={matches} colour={colour} describe={describe} zoom={setZoomed} />
    </div>
  );
}

const STEPS = [-1, -0.6, -0.3, 0, 0.3, 0.6, 1];

/** What the colours mean. */
function Scale() {
  return (
    <span class="scale">
      gone
      {STEPS.map((step) => (
        <svg key={step} width="18" height="12" aria-hidden="true">
          <rect width="18" height="12" fill={colourOfChange(step)} />
        </svg>
      ))}
      new
    </span>
  );
}

const colour = (node: ComparedNode) => colourOfChange(changeOf(node));

function describe({ name, before, after }: ComparedNode): string {
  return `${safe(name)}: ${meanTasks(before)} → ${meanTasks(after)} tasks on average`;
}
