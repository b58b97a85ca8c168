import type { Observation, Sample } from './sample.ts';

/**
 * What turns the observations of one sample into those of another. A task that was seen in another way is in both
 * lists. Tell it by its numbers: what is gone need not be the object that came.
 */
export interface Changes {
  readonly gone: readonly Observation[];
  readonly come: readonly Observation[];
}

/** An observation, and where it is in the list of its sample. */
export interface PlacedObservation {
  readonly at: number;
  readonly observation: Observation;
}

/** What turns one list of observations into another, in this order. All places are ascending. */
export interface Moves {
  /** Places in the list before. */
  readonly gone: readonly number[];
  /** New ones, at places of the list now. */
  readonly put: readonly PlacedObservation[];
  /** At places of the list now, of the task that is there: it was seen in another way. */
  readonly set: readonly PlacedObservation[];
}

interface Known extends Changes {
  /** Stands for the sample: if it referred to the one before, the latest one would keep all of them. */
  readonly mark: object;
  readonly before: object | undefined;
  readonly moves: (() => Moves) | undefined;
}

/**
 * A sample's changes. No WeakMap has them: until all memory is looked through, that would keep the samples of minutes.
 * Nobody else sees the property.
 */
const KNOWN = Symbol('changes');

interface Noting {
  readonly [KNOWN]?: Known;
}

function knownOf(sample: Sample & Noting): Known | undefined {
  return sample[KNOWN];
}

function note(sample: Sample, known: Known): void {
  Object.defineProperty(sample, KNOWN, { value: known, configurable: true });
}

/**
 * Notes what changed since another sample, so that nobody has to compare all of their tasks. A task that did not run in
 * between need not be among the changes, although it has been off the CPU for longer.
 * @param moves the same with places, if the source knows them
 */
export function noteChanges(before: Sample, after: Sample, { gone, come }: Changes, moves?: () => Moves): void {
  let last = knownOf(before);
  if (last === undefined) {
    last = { mark: {}, before: undefined, gone: [], come: [], moves: undefined };
    note(before, last);
  }
  note(after, { mark: {}, before: last.mark, gone, come, moves });
}

/** What changed since another sample: what its source has noted, or what is not the same object in both. */
export function changesBetween(before: Sample | undefined, after: Sample): Changes {
  if (before === undefined) return { gone: [], come: after.observations };
  const [last, noted] = [knownOf(before), knownOf(after)];
  if (last !== undefined && noted?.before === last.mark) return noted;
  return compared(before.observations, after.observations);
}

/** What turns the observations of a sample into those of another, if their source has noted it. */
export function movesBetween(before: Sample | undefined, after: Sample): Moves | undefined {
  const [last, noted] = [before && knownOf(before), knownOf(after)];
  return last !== undefined && noted?.before === last.mark ? noted.moves?.() : undefined;
}

/** What is in one list only. */
export function compared(before: readonly Observation[], after: readonly Observation[]): Changes {
  let from = 0;
  while (from < before.length && before[from] === after[from]) from++;
  let [end, afterEnd] = [before.length, after.length];
  while (end > from && afterEnd > from && before[end - 1] === after[afterEnd - 1]) {
    end--;
    afterEnd--;
  }
  const left = new Map<Observation, number>();
  for (const observation of before.slice(from, end)) left.set(observation, (left.get(observation) ?? 0) + 1);
  const come: Observation[] = [];
  for (const observation of after.slice(from, afterEnd)) {
    const count = left.get(observation) ?? 0;
    if (count === 0) come.push(observation);
    else left.set(observation, count - 1);
  }
  const gone: Observation[] = [];
  for (const [observation, count] of left) for (let each = 0; each < count; each++) gone.push(observation);
  return { gone, come };
}

/** Stands for observations that are listed when somebody asks for them. */
const LATER = Symbol('observations');

interface Listing {
  readonly [LATER]?: { readonly list: () => readonly Observation[]; listed: readonly Observation[] | undefined };
}

/** One getter for all samples: an object with one of its own is to V8 a table of names, and ten times as large. */
function observations(this: Listing): readonly Observation[] {
  const later = this[LATER];
  if (later === undefined) return [];
  later.listed ??= later.list();
  return later.listed;
}

const LISTED: PropertyDescriptor = { get: observations, enumerable: true, configurable: true };

/** The sample itself, with observations that are listed when somebody asks for them. */
export function listedLater(sample: Omit<Sample, 'observations'>, list: () => readonly Observation[]): Sample {
  Object.defineProperty(sample, LATER, { value: { list, listed: undefined }, configurable: true });
  return Object.defineProperty(sample as Sample, 'observations', LISTED);
}

/**
 * The sample with other observations, which are listed when somebody asks for them, and with other holders, if given.
 */
export function withObservations(
  sample: Omit<Sample, 'observations'>,
  list: () => readonly Observation[],
  holders: readonly Observation[] = sample.holders,
): Sample {
  return Object.defineProperties({} as Sample, {
    ...Object.getOwnPropertyDescriptors(sample),
    [KNOWN]: { value: undefined, configurable: true },
    [LATER]: { value: { list, listed: undefined }, configurable: true },
    observations: LISTED,
    holders: { value: holders, enumerable: true, configurable: true },
  });
}
