import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import { styleColour } from './palette.ts';
import type { Span } from './state.ts';

export interface Mark {
  readonly timeMs: number;
  readonly text: string;
}

/**
 * uPlot's own are of the American kind: the unit from which on a form is used, the form, and what it has where days
 * change.
 */
const DAY = '\n{YYYY}-{MM}-{DD}';
const TIMES = [
  [3600 * 24, '{YYYY}-{MM}-{DD}', null, null, null, null, null, null, 1],
  [60, '{HH}:{mm}', DAY, null, DAY, null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', DAY, null, DAY, null, null, null, 1],
  [0.001, '{HH}:{mm}:{ss}.{fff}', DAY, null, DAY, null, null, null, 1],
];

/** Steps of an axis: there is no half of a task. */
const WHOLE = [1, 10, 100, 1000, 10_000, 100_000].flatMap((power) => [power, 2 * power, 5 * power]);

interface ChartProps {
  readonly label: string;
  readonly height: number;
  readonly data: UPlot.AlignedData;
  readonly series: readonly UPlot.Series[];
  readonly bands?: readonly UPlot.Band[];
  readonly marks?: readonly Mark[];
  /** Called with the part that was drawn over with the mouse. */
  readonly onSelect: (span: Span) => void;
}

/** A chart over time. */
export function Chart({ label, height, data, series, bands = [], marks = [], onSelect }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const [ink, faint] = [styleColour('--faint'), styleColour('--line')];
    const axis = { stroke: ink, grid: { stroke: faint, width: 1 }, ticks: { stroke: faint }, font: '12px system-ui' };
    const plot = new UPlot(
      {
        width: element.clientWidth,
        height,
        series: [{ label: 'time', value: '{HH}:{mm}:{ss}' }, ...series],
        bands: [...bands],
        axes: [
          { ...axis, values: TIMES },
          { ...axis, size: 56, incrs: WHOLE },
        ],
        scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
        legend: { live: true },
        cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: 'time' } },
        hooks: {
          draw: [(drawn) => drawMarks(drawn, marks)],
          setSelect: [
            (drawn) => {
              const { left, width } = drawn.select;
              if (width < 4) return;
              const [from, to] = [drawn.posToVal(left, 'x'), drawn.posToVal(left + width, 'x')];
              onSelect({ fromMs: 1000 * from, toMs: 1000 * to });
            },
          ],
        },
      },
      data,
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [data, height]);
  return <div class="chart" ref={place} role="img" aria-label={label} style={{ minHeight: `${height + 30}px` }} />;
}

function drawMarks(plot: UPlot, marks: readonly Mark[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = styleColour('--mark');
  ctx.setLineDash([4, 3]);
  for (const { timeMs } of marks) {
    const x = Math.round(plot.valToPos(timeMs / 1000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
