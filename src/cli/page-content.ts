import { type Redactor, redacted } from '../analysis/redact.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import type { FileContent } from '../server/file-source.ts';
import { fleetOfDatabase, isAddedUp } from './database-sums.ts';
import { fileSamples, type Wanted } from './file-samples.ts';
import type { Problems } from './merged-samples.ts';

/** More than a page is to have of several hosts. */
const MOST_SAMPLES = 1000;
/** Of waits and hosts. */
const MOST_EACH = 1000;

/**
 * What a page has of files or of a database: of several hosts that have more samples than a page can bear, only what
 * they say together. Adds to the problems what cannot be read.
 * @param redactor replaces what tells of people and machines, if there is one
 * @throws NoEnd
 */
export async function pageContent(
  wanted: Wanted,
  problems: Problems,
  { clock, redactor }: { readonly clock: Clock; readonly redactor: Redactor | undefined },
): Promise<FileContent> {
  const together = isAddedUp(wanted) ? await fleetOfDatabase(wanted, MOST_EACH, problems, clock) : undefined;
  const isAll = problems.unread === 0 && (together === undefined || together.samples <= MOST_SAMPLES);
  const read = isAll ? fileSamples(wanted, problems, clock) : none();
  if (redactor === undefined) return { fleet: together?.fleet, samples: read };
  return { fleet: together && redactor.fleet(together.fleet), samples: redacted(read, redactor) };
}

async function* none(): AsyncGenerator<Sample> {
  // There is nothing to yield.
}
