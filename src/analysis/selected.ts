import { changesBetween, noteChanges, withObservations } from '../model/changes.ts';
import { type CompiledSelection, takesTask, type Untold } from '../model/compiled-selection.ts';
import { edgesOf } from '../model/edge.ts';
import { type Observation, type Sample, streamKey } from '../model/sample.ts';
import { isLeftOut } from './leave-out-idle.ts';
import { type Graph, reachedFrom } from './reached.ts';

/** Tells of a task that is not selected because the sample does not say enough of it. */
type Missed = (what: Untold) => void;

/**
 * The samples with the selected tasks only. A task that is not selected, but that a selected one waits for, is one of
 * the holders, as in a sample that was taken with the selection. So it is with edges and resources.
 */
export async function* selected(
  samples: AsyncIterable<Sample>,
  selection: CompiledSelection,
  missed: Missed,
): AsyncGenerator<Sample> {
  const streams = new Map<string, Followed>();
  const takes = (observation: Observation) => takesObservation(selection, observation) === true;
  for await (const whole of samples) {
    const key = streamKey(whole);
    const followed: Followed = streams.get(key) ?? { waiting: new Map() };
    streams.set(key, followed);
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
    const isWaiting = waiting.size + whole.holders.length > 0 || whole.edges !== undefined;
    const { holders, ...graph } = isWaiting ? reachedFrom(waiting.values(), whole, takes) : whole;
    const part = withObservations(withGraph(whole, graph), () => whole.observations.filter(takes), holders);
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
  return answer === true && selection.blocked === true ? !isLeftOut(observation) : answer;
}

/** The sample with these edges and resources. Its observations stay what is listed when somebody asks for them. */
function withGraph(sample: Sample, { edges, resources }: Graph): Sample {
  if (edges === sample.edges && resources === sample.resources) return sample;
  return Object.defineProperties({} as Sample, {
    ...Object.getOwnPropertyDescriptors(sample),
    edges: { value: edges, enumerable: true, configurable: true },
    resources: { value: resources, enumerable: true, configurable: true },
  });
}
