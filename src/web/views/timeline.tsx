import { useMemo } from 'preact/hooks';
import type { Gap } from '../../analysis/times/pace.ts';
import type { ReportedEvent } from '../../analysis/times/report.ts';
import { PRESSURES } from '../../model/pressure.ts';
import type { Sample } from '../../model/sample.ts';
import { Chart } from '../chart.tsx';
import { LINES, OTHERS, PALETTE } from '../palette.ts';
import { OTHER_WAITS, stackedWaits } from '../stacked.ts';
import { chosen, recorded, reported, type Span, samplesShown, shown } from '../state.ts';
import { counted, dateText, formatDuration, safe, timeText } from '../words.ts';

const MOST_WAITS = 8;
const MOST_EVENTS = 100;
const LONGEST_LABEL = 120;

/** Blocked tasks over time by what they wait for, pressure, and what happened. */
export function TimelineView() {
  const report = reported.value;
  const { fromMs, toMs } = shown.value;
  const moments = recorded.value?.series.moments ?? [];
  const some = useMemo(
    () => moments.filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs),
    [moments, fromMs, toMs],
  );
  if (report === undefined) return <p class="empty">Adding up ...</p>;
  return (
    <article>
      <h2>Blocked tasks, by what they wait for</h2>
      <WaitsChart moments={some} gaps={report.gaps} events={report.events} />
      <SpanForm span={{ fromMs, toMs }} />
      <PressureChart samples={samplesShown.value} events={report.events} />
      <Events events={report.events} count={report.eventCount} />
      <Gaps gaps={report.gaps} />
    </article>
  );
}

const choose = (span: Span) => {
  chosen.value = span;
};

function marksOf(events: readonly ReportedEvent[]) {
  return events.flatMap(({ timeMs, text }) => (timeMs === undefined ? [] : [{ timeMs, text }]));
}

function WaitsChart({
  moments,
  gaps,
  events,
}: {
  moments: Parameters<typeof stackedWaits>[0];
  gaps: readonly Gap[];
  events: readonly ReportedEvent[];
}) {
  const { data, series, bands } = useMemo(() => {
    const { names, seconds, tops, counts } = stackedWaits(moments, gaps, MOST_WAITS);
    const colours = names.map((name, at) => (name === OTHER_WAITS ? OTHERS : (PALETTE[at] ?? OTHERS)));
    return {
      data: [seconds, ...tops] as [number[], ...(number | null)[][]],
      series: names.map((name, at) => ({
        label: shortened(safe(name)),
        stroke: colours[at] ?? OTHERS,
        fill: `${colours[at] ?? OTHERS}cc`,
        width: 1,
        points: { show: seconds.length < 3 },
        value: (_: unknown, __: unknown, ___: number, index: number | null) =>
          index === null ? '' : String(counts[at]?.[index] ?? ''),
      })),
      bands: names.slice(1).map((_, at) => ({ series: [at + 2, at + 1] as [number, number] })),
    };
  }, [moments, gaps]);
  if (series.length === 0) return <p class="empty">No task was blocked in this time.</p>;
  const label = 'Blocked tasks over time, stacked by what they wait for';
  return (
    <Chart
      label={label}
      height={280}
      data={data}
      series={series}
      bands={bands}
      marks={marksOf(events)}
      onSelect={choose}
    />
  );
}

function PressureChart({ samples, events }: { samples: readonly Sample[]; events: readonly ReportedEvent[] }) {
  const { data, series } = useMemo(() => {
    const timed = samples.filter(({ timeMs, pressure }) => timeMs !== undefined && pressure !== undefined);
    const columns = PRESSURES.map((name) => timed.map(({ pressure }) => pressure?.[name]?.some ?? null));
    return {
      data: [timed.map(({ timeMs = 0 }) => timeMs / 1000), ...columns] as [number[], ...(number | null)[][]],
      series: PRESSURES.map((name, at) => ({
        label: `${name} %`,
        stroke: LINES[at] ?? OTHERS,
        width: 1.5,
        points: { show: columns[0]?.length === 1 },
        dash: at === 0 ? [] : [2 + 4 * at, 3],
      })),
    };
  }, [samples]);
  if (data[0].length === 0) return null;
  return (
    <>
      <h2>Pressure: time in which some task waited</h2>
      <Chart
        label="Pressure over time"
        height={160}
        data={data}
        series={series}
        marks={marksOf(events)}
        onSelect={choose}
      />
    </>
  );
}

/** The chosen time for those who use no mouse. */
function SpanForm({ span: { fromMs, toMs } }: { span: Span }) {
  return (
    <form
      class="span"
      onSubmit={(event) => {
        event.preventDefault();
        const fields = new FormData(event.currentTarget);
        const [from, to] = ['from', 'to'].map((name) => new Date(String(fields.get(name))).getTime());
        if (from !== undefined && to !== undefined && to > from) choose({ fromMs: from, toMs: to });
      }}
    >
      <label>
        From <input type="datetime-local" name="from" step="1" value={localText(fromMs)} />
      </label>
      <label>
        to <input type="datetime-local" name="to" step="1" value={localText(toMs)} />
      </label>
      <button type="submit">Show</button>
      <span class="hint">or draw over the chart</span>
    </form>
  );
}

function localText(ms: number): string {
  return new Date(ms - 60_000 * new Date(ms).getTimezoneOffset()).toISOString().slice(0, 19);
}

function Events({ events, count }: { events: readonly ReportedEvent[]; count: number }) {
  if (events.length === 0) return null;
  return (
    <>
      <h2>Events</h2>
      <ul class="events">
        {events.slice(0, MOST_EVENTS).map(({ timeMs, kind, text }, at) => (
          <li key={at}>
            <time>{timeMs === undefined ? 'at an unknown time' : dateText(timeMs)}</time> <b>{kind}</b> {safe(text)}
          </li>
        ))}
      </ul>
      {count > MOST_EVENTS && <p class="more">{counted(count - MOST_EVENTS, 'more event')}</p>}
    </>
  );
}

function Gaps({ gaps }: { gaps: readonly Gap[] }) {
  if (gaps.length === 0) return null;
  return (
    <>
      <h2>Gaps: nothing is known about these times</h2>
      <ul>
        {gaps.slice(0, MOST_EVENTS).map(({ fromMs, toMs }) => (
          <li key={fromMs}>
            {dateText(fromMs)} to {timeText(toMs)} ({formatDuration(toMs - fromMs)})
          </li>
        ))}
      </ul>
    </>
  );
}

function shortened(text: string): string {
  return text.length <= LONGEST_LABEL ? text : `${text.slice(0, LONGEST_LABEL - 3)}...`;
}
