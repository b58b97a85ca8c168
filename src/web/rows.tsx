import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

/** Pixels. */
const ROW = 26;
const BEYOND = 8;
const MOST_KNOWN = 400;
/** Browsers know no longer elements: of a longer list, a step of the scroll bar is more than a row. */
const MOST_PIXELS = 8_000_000;

interface RowsProps {
  readonly count: number;
  readonly label: string;
  readonly head: ComponentChildren;
  readonly row: (at: number) => ComponentChildren;
  readonly onOpen: (at: number) => void;
}

/** A table of any length: only the rows that can be seen are there. */
export function Rows({ count, label, head, row, onOpen }: RowsProps) {
  const place = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [focus, setFocus] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // Rows that stay are not made anew with each step of the scroll bar.
  const known = useMemo(() => new Map<number, ComponentChildren>(), [row, onOpen, focus, count]);
  const rowAt = (at: number): ComponentChildren => {
    const made = known.get(at) ?? (
      <div
        key={at}
        class={`row${at % 2 === 1 ? ' odd' : ''}${at === focus ? ' focus' : ''}`}
        role="row"
        aria-rowindex={at + 2}
        onClick={() => {
          setFocus(at);
          onOpen(at);
        }}
      >
        {row(at)}
      </div>
    );
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(at, made);
    return made;
  };
  const pixels = Math.min(count * ROW, MOST_PIXELS);
  const visible = Math.ceil(height / ROW);
  const scrollable = Math.max(1, pixels - height);
  const first = Math.min(Math.max(0, count - visible), Math.floor((top / scrollable) * Math.max(0, count - visible)));
  const from = Math.max(0, first - BEYOND);
  const to = Math.min(count, first + visible + BEYOND);
  const go = (at: number) => {
    const wanted = Math.max(0, Math.min(count - 1, at));
    setFocus(wanted);
    const element = place.current;
    if (element === null) return;
    const share = Math.max(1, count - visible) / scrollable;
    if (wanted <= first) element.scrollTop = wanted / share;
    else if (wanted >= first + visible - 2) element.scrollTop = (wanted - visible + 3) / share;
  };
  const onKey = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: visible - 2, PageUp: 2 - visible };
    const step = steps[event.key];
    if (step !== undefined) go(focus + step);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(count - 1);
    else if (event.key === 'Enter') onOpen(focus);
    else return;
    event.preventDefault();
  };
  return (
    <div class="rows" role="table" aria-label={label} aria-rowcount={count + 1}>
      <div class="row head" role="row" aria-rowindex={1}>
        {head}
      </div>
      <div
        class="body"
        role="rowgroup"
        ref={place}
        tabIndex={0}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={onKey}
      >
        <div style={{ height: `${pixels}px`, position: 'relative' }}>
          <div style={{ position: 'absolute', top: `${Math.max(0, top - (first - from) * ROW)}px`, left: 0, right: 0 }}>
            {Array.from({ length: to - from }, (_, at) => rowAt(from + at))}
          </div>
        </div>
      </div>
    </div>
  );
}
