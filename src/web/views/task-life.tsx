import { userOf } from '../../analysis/search-text.ts';
import type { Stretch, TaskLife } from '../../analysis/times/task-lives.ts';
import { commandLineText } from '../../model/command-line.ts';
import { containerOf } from '../../model/container.ts';
import type { Reading } from '../../model/reading.ts';
import { whatForWithin } from '../../sinks/long-waits.ts';
import { KIND_COLOURS } from '../palette.ts';
import { openTask, type Span } from '../state.ts';
import { counted, formatDuration, safe, timeText } from '../words.ts';

const MOST_STRETCHES = 200;

/** One task: who it is, and what it did when. */
export function TaskLifeView({ life, span }: { life: TaskLife; span: Span }) {
  const { task, host, stretches } = life;
  const inSpan = stretches.filter(({ fromMs, toMs }) => fromMs <= span.toMs && toMs >= span.fromMs);
  const group = readValue(task.cgroup);
  const container = group === undefined ? undefined : containerOf(group);
  return (
    <section class="life" aria-label="The life of a task">
      <button type="button" class="plain close" onClick={() => (openTask.value = undefined)}>
        Close
      </button>
      <h2>
        {safe(task.comm ?? '?')} {task.id.tid}
      </h2>
      <dl class="facts">
        <Fact name="Process" value={task.pid === undefined ? undefined : `${task.pid} ${task.processName ?? ''}`} />
        <Fact name="Parent" value={task.ppid === undefined ? undefined : String(task.ppid)} />
        <Fact name="Command line" value={lineOf(task.commandLine)} />
        <Fact name="User" value={userOf(task)} />
        <Fact name="Host" value={host} />
        <Fact name="Control group" value={group} />
        <Fact name="Container" value={container && [container.runtime, container.id].filter(Boolean).join(' ')} />
      </dl>
      <Bars stretches={inSpan} span={span} />
      <p class="ends">
        <time>{timeText(span.fromMs)}</time>
        <time>{timeText(span.toMs)}</time>
      </p>
      <ol class="stretches">
        {inSpan.slice(-MOST_STRETCHES).map((stretch, at) => (
          <StretchItem key={at} stretch={stretch} />
        ))}
      </ol>
      {inSpan.length > MOST_STRETCHES && (
        <p class="more">{counted(inSpan.length - MOST_STRETCHES, 'earlier part')} of its life in this time</p>
      )}
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string | undefined }) {
  if (value === undefined || value === '') return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{safe(value)}</dd>
    </>
  );
}

/** The states over time, as a bar. */
function Bars({ stretches, span }: { stretches: readonly Stretch[]; span: Span }) {
  const wide = Math.max(1, span.toMs - span.fromMs);
  const share = (ms: number) => (100 * (Math.min(Math.max(ms, span.fromMs), span.toMs) - span.fromMs)) / wide;
  return (
    <svg class="bars" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="What it did over time">
      {stretches.map(({ fromMs, toMs, finding }, at) => (
        <rect
          key={at}
          x={share(fromMs)}
          y={0}
          width={Math.max(0.15, share(toMs) - share(fromMs))}
          height={10}
          fill={KIND_COLOURS[finding.kind]}
        />
      ))}
    </svg>
  );
}

function StretchItem({ stretch: { observation, finding, fromMs, toMs } }: { stretch: Stretch }) {
  const { stack, state, systemCall } = observation;
  const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
  const text = call !== undefined && typeof call === 'object' ? (call.text ?? call.name) : undefined;
  return (
    <li>
      <details>
        <summary>
          <time>{timeText(fromMs)}</time> <span class={`kind ${finding.kind}`}>{state ?? '?'}</span>{' '}
          {formatDuration(Math.max(0, toMs - fromMs))} {whatForWithin(finding)}
        </summary>
        {text !== undefined && <p>In {safe(text)}</p>}
        <pre>
          {'value' in stack ? stack.value.frames.map(({ raw }) => safe(raw)).join('\n') : `not read: ${stack.unread}`}
        </pre>
      </details>
    </li>
  );
}

function readValue<T>(reading: Reading<T> | undefined): T | undefined {
  return reading !== undefined && 'value' in reading ? reading.value : undefined;
}

function lineOf(reading: Reading<string>): string {
  return 'value' in reading ? commandLineText(reading.value).trim() : `not read: ${reading.unread}`;
}
