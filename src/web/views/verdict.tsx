import { useMemo } from 'preact/hooks';
import { filledAdvice } from '../../analysis/advice.ts';
import { type Alike, alikeIn, longestOf, waitersOf } from '../../analysis/holders/alike.ts';
import { type Advice, adviceOn, adviceOnDeadlock } from '../../analysis/holders/root-advice.ts';
import { type Blocked, type Deadlock, isHeldUp, verdictOf } from '../../analysis/holders/verdict.ts';
import type { Edge, Evidence, NodeKey } from '../../model/edge.ts';
import { PRESSURES } from '../../model/pressure.ts';
import type { Sample } from '../../model/sample.ts';
import { edgePhrase } from '../../sinks/edge-phrases.ts';
import { byTarget, deadlockTitle, namesOf, whatForWithin } from '../../sinks/long-waits.ts';
import { othersText, rootsText, sentenceOf } from '../../sinks/why-sentence.ts';
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
      <h2 class={isHeldUp(verdict) ? 'bad' : 'good'}>{sentenceOf(verdict, 'sample', names)}</h2>
      <p class="when">{sample.timeMs === undefined ? 'At an unknown time' : `At ${dateText(sample.timeMs)}`}</p>
      <Tiles sample={sample} inD={verdict.inD} longestMs={verdict.longestMs} />
      {verdict.deadlocks.map((deadlock, at) => (
        <DeadlockPart key={at} deadlock={deadlock} sample={sample} names={names} />
      ))}
      {alikeIn(verdict.heldUp).map((alike) => (
        <HeldPart key={String(alike[0].root.key)} alike={alike} names={names} />
      ))}
      {verdict.blocked.length > 0 && <h3>Blocked, and nobody is known to hold them up</h3>}
      {verdict.blocked.map((group, at) => (
        <BlockedPart key={at} group={group} names={names} />
      ))}
    </article>
  );
}

interface TilesProps {
  readonly sample: Sample;
  readonly inD: number;
  readonly longestMs: number | undefined;
}

/** The host in a few numbers. */
function Tiles({ sample: { observations, pressure }, inD, longestMs }: TilesProps) {
  return (
    <dl class="tiles">
      <div>
        <dt>in D</dt>
        <dd>
          {inD.toLocaleString('en')} <small>of {counted(observations.length, 'task')}</small>
        </dd>
      </div>
      {longestMs !== undefined && (
        <div>
          <dt>longest wait</dt>
          <dd>{formatDuration(longestMs)}</dd>
        </div>
      )}
      {PRESSURES.map((name) => {
        const some = pressure?.[name]?.some;
        return (
          some !== undefined && (
            <div key={name}>
              <dt>{name} pressure</dt>
              <dd>
                {some.toFixed(some < 10 ? 1 : 0)} <small>%</small>
              </dd>
            </div>
          )
        );
      })}
    </dl>
  );
}

function HeldPart({ alike, names }: { alike: Alike; names: Names }) {
  const [{ root }, ...others] = alike;
  const ofResource = root.resource === undefined ? [] : [[names(root.key), root.resource.evidence] as const];
  return (
    <section class="root">
      <h3>{rootsText(alike, names)}</h3>
      <p>
        {others.length === 0 ? 'Holds' : 'Hold'} up {root.isAtLeast === true && 'at least '}
        {counted(waitersOf(alike).length, 'task')}
        {longest(longestOf(alike))}.
      </p>
      <Waiters edges={root.edges} names={names} />
      {others.length > 0 && <p>And so on for {othersText(others)}.</p>}
      <AdviceList advice={adviceOn(alike)} />
      <EvidenceList of={[...ofResource, ...edgeEvidence(root.edges, names)]} />
    </section>
  );
}

function DeadlockPart({ deadlock, sample, names }: { deadlock: Deadlock; sample: Sample; names: Names }) {
  const pids = new Map(sample.observations.map(({ task }) => [task.id.tid, task.pid]));
  return (
    <section class="root">
      <h3>
        {deadlockTitle(deadlock.isConfirmed)}
        {longest(deadlock.longestMs)}
      </h3>
      <Waiters edges={deadlock.edges} names={names} />
      {deadlock.behind.length > 0 && <p>Behind them wait {counted(deadlock.behind.length, 'more task')}.</p>}
      <AdviceList advice={adviceOnDeadlock(deadlock, (tid) => pids.get(tid))} />
      <EvidenceList of={edgeEvidence(deadlock.edges, names)} />
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
      <Commands title="Look at" lines={next} />
      <Commands title="Would undo it; changes the host" lines={undo} changes />
    </dl>
  );
}

function Commands({ title, lines, changes }: { title: string; lines: readonly string[]; changes?: true }) {
  if (lines.length === 0) return null;
  return (
    <div>
      <dt class={changes ? 'changes' : ''}>{title}</dt>
      {lines.map((line) => (
        <dd key={line}>
          <code>{safe(line)}</code>
        </dd>
      ))}
    </div>
  );
}

const MOST_EVIDENCE = 20;

type Told = readonly [name: string, evidence: readonly Evidence[]];

function edgeEvidence(edges: readonly Edge[], names: Names): Told[] {
  return edges.slice(0, MOST_EVIDENCE).map(({ from, by, evidence }) => [`${names(from)}, ${by}`, evidence]);
}

function EvidenceList({ of }: { of: readonly Told[] }) {
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
