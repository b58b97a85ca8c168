import { changesBetween, noteChanges, withObservations } from '../model/changes.ts';
import { type CompiledSelection, takesTask, type Untold } from '../model/compiled-selection.ts';
import { edgesByStart, edgesIn, edgesOf, type NodeKey } from '../model/edge.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { kindOf } from './explain-sample.ts';

/** Tells of a task that is not selected because the sample does not say enough of it. */
type Missed = (what: Untold) => void;

/**
 * The samples with the selected tasks only. A task that is not selected, but that a selected one waits for, is one of
 * the holders, as in a sample that was taken with the selection.
 */
export async function* selected(
  samples: AsyncIterable<Sample>,
  selection: CompiledSelection,
  missed: Missed,
): AsyncGenerator<Sample> {
  const hosts = new Map<string, Followed>();
  const takes = (observation: Observation) => takesObservation(selection, observation) === true;
  for await (const whole of samples) {
    const { host = '' } = whole;
    const followed: Followed = hosts.get(host) ?? { waiting: new Map() };
    hosts.set(host, followed);
    const { last, waiting } = followed;
    const changes = changesBetween(last?.whole, whole);
    for (const observation of changes.come) {
      const answer = takesObservation(selection, observation);
      if (typeof answer === 'string') missed(answer);
    }
    const [gone, come] = [changes.gone.filter(takes), changes.come.filter(takes)];
    for (const { task } of gone) waiting.delete(task.id.tid);
    for (const observation of come)
      if (edgesOf(observation).length > 0) waiting.set(observation.task.id.tid, observation);
    const isWaiting = waiting.size > 0 || whole.edges !== undefined;
    const holders = isWaiting ? [...whole.holders, ...holdersOf(waiting.values(), whole, takes)] : whole.holders;
    const part = withObservations(whole, () => whole.observations.filter(takes), holders);
    if (last !== undefined) noteChanges(last.part, part, { gone, come });
    followed.last = { whole, part };
    yield part;
  }
}

interface Followed {
  last?: { readonly whole: Sample; readonly part: Sample };
  /** The selected tasks that wait for others. */
  readonly waiting: Map<number | undefined, Observation>;
}

function takesObservation(selection: CompiledSelection, observation: Observation): boolean | Untold {
  const answer = takesTask(selection, observation);
  if (answer !== true || selection.blocked !== true) return answer;
  return observation.task.own !== true && kindOf(observation) !== 'idle';
}

/** The tasks that are not selected and that these wait for, directly or through others. */
function holdersOf(waiting: Iterable<Observation>, whole: Sample, takes: (one: Observation) => boolean): Observation[] {
  const others = new Map<NodeKey, Observation>();
  for (const observation of whole.observations)
    if (observation.task.id.tid !== undefined && !takes(observation)) others.set(observation.task.id.tid, observation);
  const from = edgesByStart(edgesIn({ ...whole, holders: [] }));
  const wanted = [...waiting].flatMap(edgesOf);
  for (const edge of whole.edges ?? []) if (!others.has(edge.from)) wanted.push(edge);
  const followed = new Set<NodeKey>();
  const holders: Observation[] = [];
  // The list grows during the loop: a holder may wait itself.
  for (const edge of wanted)
    for (const key of [edge.from, edge.to]) {
      if (followed.has(key)) continue;
      followed.add(key);
      const holder = others.get(key);
      if (holder !== undefined) holders.push(holder);
      for (const next of from.get(key) ?? []) wanted.push(next);
    }
  return holders;
}
