import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import {
  type FlameBox,
  type FlameNode,
  flameBoxes,
  flameTree,
  GROUPINGS,
  type Grouping,
  matchedSeconds,
} from '../flame-layout.ts';
import { colourOf, styleColour } from '../palette.ts';
import { query, recorded, shown } from '../state.ts';
import { formatDuration, safe } from '../words.ts';

const ROW = 20;
const LEAST_PIXELS = 0.4;

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
  const text = query.value.toLowerCase();
  const matches = (name: string) => text !== '' && name.toLowerCase().includes(text);
  return (
    <article class="flame">
      <div class="tools">
        <label>
          Search{' '}
          <input type="search" value={query.value} onInput={(event) => (query.value = event.currentTarget.value)} />
        </label>
        <label>
          By{' '}
          <select value={by} onChange={(event) => setBy(event.currentTarget.value as Grouping)}>
            {Object.entries(GROUPINGS).map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input type="checkbox" checked={withIdle} onChange={(event) => setWithIdle(event.currentTarget.checked)} />{' '}
          idle tasks, too
        </label>
        {zoomed !== undefined && (
          <button type="button" onClick={() => setZoomed(undefined)}>
            Show all
          </button>
        )}
        <span class="hint" role="status">
          {text !== '' &&
            `${((100 * matchedSeconds(root, matches)) / Math.max(root.seconds, 1e-9)).toFixed(1)} % of the time matches`}
        </span>
      </div>
      {tree.seconds === 0 ? (
        <p class="empty">No task was blocked, running or unexplained in this time.</p>
      ) : (
        <Drawing root={root} matches={matches} zoom={setZoomed} />
      )}
    </article>
  );
}

interface DrawingProps {
  readonly root: FlameNode;
  readonly matches: (name: string) => boolean;
  readonly zoom: (node: FlameNode) => void;
}

function Drawing({ root, matches, zoom }: DrawingProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(800);
  const [focus, setFocus] = useState<FlameBox | undefined>(undefined);
  const boxes = useMemo(() => flameBoxes(root, LEAST_PIXELS / width), [root, width]);
  const depth = boxes.reduce((most, box) => Math.max(most, box.depth), 0) + 1;
  useEffect(() => {
    const element = canvas.current?.parentElement;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(100, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => setFocus(undefined), [root]);
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, { boxes, width, depth, matches, focus });
  });
  const boxAt = (event: MouseEvent) => {
    const [share, row] = [event.offsetX / width, Math.floor(event.offsetY / ROW)];
    return boxes.find((box) => box.depth === row && share >= box.from && share < box.to);
  };
  const move = (event: KeyboardEvent) => {
    const next = neighbour(boxes, focus, event.key);
    if (next === undefined && event.key !== 'Enter') return;
    event.preventDefault();
    if (next !== undefined) setFocus(next);
    else if (focus !== undefined) zoom(focus.node);
  };
  const told = focus ?? boxes[0];
  return (
    <>
      <p class="told" role="status" aria-live="polite">
        {told !== undefined && describe(told.node, root)}
      </p>
      <div class="canvas">
        <canvas
          ref={canvas}
          tabIndex={0}
          role="img"
          aria-label="Flame graph. The arrow keys move from function to function, Enter shows one alone."
          onMouseMove={(event) => setFocus(boxAt(event))}
          onMouseLeave={() => setFocus(undefined)}
          onClick={(event) => {
            const box = boxAt(event);
            if (box !== undefined) zoom(box.node);
          }}
          onKeyDown={move}
        />
      </div>
    </>
  );
}

function describe({ name, seconds }: FlameNode, root: FlameNode): string {
  const share = (100 * seconds) / Math.max(root.seconds, 1e-9);
  return `${safe(name)}: ${formatDuration(1000 * seconds)} of task time, ${share.toFixed(1)} %`;
}

/** The box that an arrow key leads to. */
function neighbour(boxes: readonly FlameBox[], from: FlameBox | undefined, key: string): FlameBox | undefined {
  if (!key.startsWith('Arrow')) return undefined;
  if (from === undefined) return boxes[0];
  if (key === 'ArrowUp') return from.parent;
  if (key === 'ArrowDown') return boxes.find(({ parent }) => parent === from);
  const row = boxes.filter(({ depth }) => depth === from.depth).sort((a, b) => a.from - b.from);
  return row[row.indexOf(from) + (key === 'ArrowLeft' ? -1 : 1)];
}

interface Picture {
  readonly boxes: readonly FlameBox[];
  readonly width: number;
  readonly depth: number;
  readonly matches: (name: string) => boolean;
  readonly focus: FlameBox | undefined;
}

function draw(canvas: HTMLCanvasElement, { boxes, width, depth, matches, focus }: Picture): void {
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = depth * ROW * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${depth * ROW}px`;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(scale, scale);
  context.font = '12px ui-monospace, monospace';
  context.textBaseline = 'middle';
  const [found, edge] = [styleColour('--found'), styleColour('--paper')];
  for (const box of boxes) {
    const { node, from, to } = box;
    const [left, top, wide] = [from * width, box.depth * ROW, (to - from) * width];
    context.fillStyle = matches(node.name) ? found : box.depth === 0 ? '#b8bec7' : colourOf(node.name);
    context.fillRect(left, top, wide, ROW - 1);
    context.strokeStyle = box === focus ? '#000' : edge;
    context.strokeRect(left + 0.5, top + 0.5, Math.max(0, wide - 1), ROW - 2);
    const letters = Math.floor((wide - 6) / 7.3);
    if (letters < 3) continue;
    const name = safe(node.name);
    context.fillStyle = '#1b1b1b';
    context.fillText(name.length <= letters ? name : `${name.slice(0, letters - 1)}…`, left + 3, top + ROW / 2);
  }
}
