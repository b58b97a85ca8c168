import { useMemo } from 'preact/hooks';
import { filledAdvice } from '../../analysis/advice.ts';
import { type Advice, adviceOn, adviceOnDeadlock } from '../../analysis/root-advice.ts';
import { type Blocked, type Deadlock, type HeldUp, isHeldUp, verdictOf } from '../../analysis/verdict.ts';
import type { Edge, Evidence, NodeKey } from '../../model/edge.ts';
import { PRESSURES } from '../../model/pressure.ts';
import type { Sample } from '../../model/sample.ts';
import { edgePhrase } from '../../sinks/edge-phrases.ts';
import { byTarget, namesOf, whatForWithin } from '../../sinks/long-waits.ts';
import { conditionOf, sentenceOf } from '../../sinks/why.ts';
import { samplesShown } from '../state.ts';
import { counted, dateText, formatDuration, safe } from '../words.ts';

type Names = (key: NodeKey) => string;

/** What `kstack why` says, of the last sample of the chosen time. */
export function VerdictView() {
  const shown = samplesShown.value;
  const sample = shown.at(-1);
  const verdict = useMemo(() => (sample === undefined ? undefined : verdictOf(sample, shown.at(-2))), [sample]);
  if (sample === undefined || verdict === undefined) return <p class="empty">No sample was taken in this time.</p>;
  const { observations, holders, resources } = sample;
  const names = namesOf([{ observations }, { observations: holders }], resources);
  return (
    <article class="verdict">
      <h2 class={isHeldUp(verdict) ? 'bad' : 'good'}>{sentenceOf(verdict, names)}</h2>
      <p class="when">
        {sample.timeMs === undefined ? 'At an unknown time' : dateText(sample.timeMs)}: {stateOf(sample, verdict.inD)}
      </p>
      {verdict.deadlocks.map((deadlock, at) => (
        <DeadlockPart key={at} deadlock={deadlock} sample={sample} names={names} />
      ))}
      {verdict.heldUp.map((held) => (
        <HeldPart key={String(held.root.key)} held={held} names={names} />
      ))}
      {verdict.blocked.length > 0 && <h3>Blocked, and nobody is known to hold them up</h3>}
      {verdict.blocked.map((group, at) => (
        <BlockedPart key={at} group={group} names={names} />
      ))}
    </article>
  );
}

function stateOf({ observations, pressure }: Sample, inD: number): string {
  const stalls = PRESSURES.flatMap((name) => {
    const some = pressure?.[name]?.some;
    return some === undefined ? [] : [`${name} ${some} %`];
  });
  const of = `${inD} of ${counted(observations.length, 'task')} in D`;
  return stalls.length === 0 ? of : `${of}; pressure: ${stalls.join(', ')}`;
}

function HeldPart({ held, names }: { held: HeldUp; names: Names }) {
  const { root, longestMs } = held;
  return (
    <section class="root">
      <h3>
        {names(root.key)}
        {conditionOf(held)}
      </h3>
      <p>
        Holds up {root.isAtLeast === true && 'at least '}
        {counted(root.tasks, 'task')}
        {longest(longestMs)}.
      </p>
      <Waiters edges={root.edges} names={names} />
      <AdviceList advice={adviceOn(held)} />
      {root.resource !== undefined && <EvidenceList of={[[names(root.key), root.resource.evidence]]} />}
      <EdgeEvidence edges={root.edges} names={names} />
    </section>
  );
}

function DeadlockPart({ deadlock, sample, names }: { deadlock: Deadlock; sample: Sample; names: Names }) {
  const pids = new Map(sample.observations.map(({ task }) => [task.id.tid, task.pid]));
  return (
    <section class="root">
      <h3>
        {deadlock.isConfirmed ? 'Deadlock' : 'May be a deadlock'}
        {longest(deadlock.longestMs)}
      </h3>
      <Waiters edges={deadlock.edges} names={names} />
      {deadlock.behind.length > 0 && <p>Behind them wait {counted(deadlock.behind.length, 'more task')}.</p>}
      <AdviceList advice={adviceOnDeadlock(deadlock, (tid) => pids.get(tid))} />
      <EdgeEvidence edges={deadlock.edges} names={names} />
    </section>
  );
}

function BlockedPart({ group, names }: { group: Blocked; names: Names }) {
  const keys = group.observations.flatMap(({ task }) => task.id.tid ?? []);
  return (
    <section class="root">
      <p>
        <strong>{counted(keys.length, 'task')}</strong>
        {longest(group.longestMs)}: {whatForWithin(group.finding)}
      </p>
      <p class="names">{someNames(keys, names)}</p>
      <AdviceList advice={filledAdvice(group.finding, group.observations)} />
    </section>
  );
}

const MOST_LINES = 12;
const MOST_NAMES = 6;

function Waiters({ edges, names }: { edges: readonly Edge[]; names: Names }) {
  const alike = byTarget(edges);
  return (
    <ul class="waiters">
      {alike.slice(0, MOST_LINES).map(([edge, keys], at) => (
        <li key={at}>
          {someNames(keys, names)} {keys.length === 1 ? 'waits' : 'wait'} for {edgePhrase(edge, names)}
        </li>
      ))}
      {alike.length > MOST_LINES && <li>{alike.length - MOST_LINES} other waits behind these</li>}
    </ul>
  );
}

function someNames(keys: readonly NodeKey[], names: Names): string {
  const more = keys.length - MOST_NAMES;
  return `${keys.slice(0, MOST_NAMES).map(names).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export function AdviceList({ advice: { next, undo } }: { advice: Advice }) {
  if (next.length + undo.length === 0) return null;
  return (
    <dl class="advice">
      {next.length > 0 && <dt>Look at</dt>}
      {next.map((line) => (
        <dd key={line}>
          <code>{safe(line)}</code>
        </dd>
      ))}
      {undo.length > 0 && <dt class="changes">Would undo it; changes the host</dt>}
      {undo.map((line) => (
        <dd key={line}>
          <code>{safe(line)}</code>
        </dd>
      ))}
    </dl>
  );
}

const MOST_EVIDENCE = 20;

function EdgeEvidence({ edges, names }: { edges: readonly Edge[]; names: Names }) {
  const some = edges.slice(0, MOST_EVIDENCE);
  return <EvidenceList of={some.map(({ from, by, evidence }) => [`${names(from)}, ${by}`, evidence])} />;
}

function EvidenceList({ of }: { of: readonly (readonly [string, readonly Evidence[]])[] }) {
  const lines = of.flatMap(([name, evidence]) => evidence.map(({ place, text }) => [name, safe(place), safe(text)]));
  if (lines.length === 0) return null;
  return (
    <details>
      <summary>Evidence</summary>
      <ul class="evidence">
        {lines.map(([name, place, text], at) => (
          <li key={at}>
            {name}: <code>{place}</code>: {text}
          </li>
        ))}
      </ul>
    </details>
  );
}

function longest(ms: number | undefined): string {
  return ms === undefined ? '' : `, for up to ${formatDuration(ms)}`;
}
