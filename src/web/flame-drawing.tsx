import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type FlameBox, type FlameNode, flameBoxes } from './flame-layout.ts';
import { styleColour } from './palette.ts';
import { safe } from './words.ts';

const ROW = 20;
const LEAST_PIXELS = 0.5;
/** A browser draws nothing on a larger canvas. */
const MOST_PIXELS = 16_000;
const FONT = '12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace';
/** Of boxes, in both schemes. */
const INK = '#1b1b1b';

interface FlameDrawingProps<Node extends FlameNode> {
  readonly root: Node;
  readonly matches: (name: string) => boolean;
  readonly colour: (node: Node) => string;
  readonly describe: (node: Node, root: Node) => string;
  readonly zoom: (node: Node) => void;
}

/** A tree of stacks: the wider a box, the more of the weight is in that function. */
export function FlameDrawing<Node extends FlameNode>({
  root,
  matches,
  colour,
  describe,
  zoom,
}: FlameDrawingProps<Node>) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  const [focus, setFocus] = useState<FlameBox<Node> | undefined>(undefined);
  const rows = useMemo(() => inRows(flameBoxes(root, LEAST_PIXELS / width)), [root, width]);
  useLayoutEffect(() => {
    const element = canvas.current?.parentElement;
    if (!element) return;
    const measure = () => setWidth(Math.max(100, element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => setFocus(undefined), [root]);
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, { rows, width, matches, colour });
  }, [rows, width, matches, colour]);
  // What is pointed at is an element above the canvas: thousands of boxes need not be drawn again.
  useLayoutEffect(() => {
    const { style } = frame.current ?? {};
    if (style === undefined) return;
    style.display = focus === undefined ? 'none' : 'block';
    if (focus === undefined) return;
    style.left = `${focus.from * width}px`;
    style.top = `${focus.depth * ROW}px`;
    style.width = `${Math.max(2, (focus.to - focus.from) * width)}px`;
  }, [focus, width]);
  const boxAt = (event: MouseEvent) => {
    const share = event.offsetX / width;
    return rows[Math.floor(event.offsetY / ROW)]?.find(({ from, to }) => share >= from && share < to);
  };
  const move = (event: KeyboardEvent) => {
    const next = neighbour(rows, focus, event.key);
    if (next === undefined && event.key !== 'Enter') return;
    event.preventDefault();
    if (next !== undefined) setFocus(next);
    else if (focus !== undefined) zoom(focus.node);
  };
  const told = (focus ?? rows[0]?.[0])?.node;
  return (
    <>
      <p class="told" role="status" aria-live="polite">
        {told !== undefined && describe(told, root)}
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
        <div class="pointed" ref={frame} />
      </div>
    </>
  );
}

function inRows<Node extends FlameNode>(boxes: readonly FlameBox<Node>[]): FlameBox<Node>[][] {
  const rows: FlameBox<Node>[][] = [];
  for (const box of boxes) {
    const row = rows[box.depth];
    if (row === undefined) rows[box.depth] = [box];
    else row.push(box);
  }
  return rows;
}

/** The box that an arrow key leads to. */
function neighbour<Node extends FlameNode>(
  rows: readonly FlameBox<Node>[][],
  from: FlameBox<Node> | undefined,
  key: string,
): FlameBox<Node> | undefined {
  if (!key.startsWith('Arrow')) return undefined;
  if (from === undefined) return rows[0]?.[0];
  if (key === 'ArrowUp') return from.parent;
  if (key === 'ArrowDown') return rows[from.depth + 1]?.find(({ parent }) => parent === from);
  const row = rows[from.depth] ?? [];
  return row[row.indexOf(from) + (key === 'ArrowLeft' ? -1 : 1)];
}

interface Picture<Node extends FlameNode> {
  readonly rows: readonly FlameBox<Node>[][];
  readonly width: number;
  readonly matches: (name: string) => boolean;
  readonly colour: (node: Node) => string;
}

function draw<Node extends FlameNode>(canvas: HTMLCanvasElement, picture: Picture<Node>): void {
  const { rows, width, matches, colour } = picture;
  const high = rows.length * ROW;
  const scale = Math.min(devicePixelRatio, MOST_PIXELS / Math.max(width, high));
  canvas.width = width * scale;
  canvas.height = high * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${high}px`;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(scale, scale);
  context.font = FONT;
  context.textBaseline = 'middle';
  const letter = context.measureText('m').width;
  const found = styleColour('--found');
  for (const [depth, row] of rows.entries())
    for (const { node, from, to } of row) {
      const [left, top, wide] = [from * width, depth * ROW, (to - from) * width];
      context.fillStyle = matches(node.name) ? found : colour(node);
      // Without a seam, narrow boxes would not be seen.
      context.fillRect(left, top, wide > 3 ? wide - 1 : wide, ROW - 1);
      const letters = Math.floor((wide - 9) / letter);
      if (letters < 3) continue;
      const name = safe(node.name);
      context.fillStyle = INK;
      context.fillText(name.length <= letters ? name : `${name.slice(0, letters - 1)}…`, left + 4, top + ROW / 2);
    }
}
