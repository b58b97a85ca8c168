import { useCallback, useMemo, useState } from 'preact/hooks';
import { FlameDrawing } from '../flame-drawing.tsx';
import { type FlameNode, flameTree, GROUPINGS, type Grouping, matchedWeight } from '../flame-layout.ts';
import { colourOf, OTHERS } from '../palette.ts';
import { query, recorded, shown } from '../state.ts';
import { formatDuration, safe } from '../words.ts';

/** The stacks of the chosen time: the wider a box, the longer tasks were in that function. */
export function FlameView() {
  const [by, setBy] = useState<Grouping>('function');
  const [withIdle, setWithIdle] = useState(false);
  const [zoomed, setZoomed] = useState<FlameNode | undefined>(undefined);
  const span = shown.value;
  const known = recorded.value;
  const tree = useMemo(() => {
    setZoomed(undefined);
    return flameTree(known?.lives.all() ?? [], span, by, withIdle);
  }, [known, span, by, withIdle]);
  const root = zoomed ?? tree;
  const matches = useMatches();
  return (
    <article class="flame">
      <div class="tools">
        <SearchField />
        <GroupingField by={by} choose={setBy} />
        <label>
          <input type="checkbox" checked={withIdle} onChange={(event) => setWithIdle(event.currentTarget.checked)} />{' '}
          idle tasks, too
        </label>
        <ShowAll zoomed={zoomed} show={setZoomed} />
        <Matched root={root} matches={matches} />
      </div>
      {tree.weight === 0 ? (
        <p class="empty">
          No task was blocked, running or unexplained in this time.{' '}
          {!withIdle && (
            <button type="button" class="plain" onClick={() => setWithIdle(true)}>
              Show the idle ones
            </button>
          )}
        </p>
      ) : (
        <FlameDrawing root={root} matches={matches} colour={colour} describe={describe} zoom={setZoomed} />
      )}
    </article>
  );
}

const colour = ({ name }: FlameNode) => (name === 'all' ? OTHERS : colourOf(name));

function describe({ name, weight }: FlameNode, root: FlameNode): string {
  return `${safe(name)}: ${formatDuration(1000 * weight)} of task time, ${percent(weight, root.weight)}`;
}

export function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(whole, 1e-9)).toFixed(1)} %`;
}

/** Whether a name has what is looked for. */
export function useMatches(): (name: string) => boolean {
  const text = query.value.toLowerCase();
  return useCallback((name: string) => text !== '' && name.toLowerCase().includes(text), [text]);
}

export function SearchField() {
  return (
    <label>
      Search <input type="search" value={query.value} onInput={(event) => (query.value = event.currentTarget.value)} />
    </label>
  );
}

export function GroupingField({ by, choose }: { by: Grouping; choose: (by: Grouping) => void }) {
  return (
    <label>
      By{' '}
      <select value={by} onChange={(event) => choose(event.currentTarget.value as Grouping)}>
        {Object.entries(GROUPINGS).map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ShowAllProps<Node> {
  readonly zoomed: Node | undefined;
  readonly show: (node: undefined) => void;
}

export function ShowAll<Node>({ zoomed, show }: ShowAllProps<Node>) {
  if (zoomed === undefined) return null;
  return (
    <button type="button" onClick={() => show(undefined)}>
      Show all
    </button>
  );
}

export function Matched({ root, matches }: { root: FlameNode; matches: (name: string) => boolean }) {
  return (
    <span class="hint" role="status">
      {query.value !== '' && `${percent(matchedWeight(root, matches), root.weight)} matches`}
    </span>
  );
}
