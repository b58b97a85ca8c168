import { edgesOf } from '../model/edge.ts';
import { type Observation, type Sample, unreadOf } from '../model/sample.ts';
import { countKinds, kindOf } from './explain/explain-sample.ts';
import { reachedFrom } from './reached.ts';

/**
 * The sample without kstack itself and without the tasks that the rules know to be idle. One of these that another task
 * waits for becomes one of the holders.
 */
export function leaveOutIdle(sample: Sample): Sample {
  const left = new Set(sample.observations.filter(isLeftOut));
  const observations = sample.observations.filter((observation) => !left.has(observation));
  const waiting = observations.filter((observation) => edgesOf(observation).length > 0);
  const counts = countKinds({ observations: [...left], leftOut: sample.leftOut });
  return {
    ...sample,
    ...reachedFrom(waiting, sample, (observation) => !left.has(observation)),
    observations,
    leftOut: { ...sample.leftOut, ...counts },
    unread: [...sample.unread, ...unreadOf([...left])],
  };
}

/** Whether `--blocked` leaves a task out. */
export function isLeftOut(observation: Observation): boolean {
  return observation.task.own === true || kindOf(observation) === 'idle';
}
