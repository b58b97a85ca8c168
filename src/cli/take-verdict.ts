import type { Verdict } from '../analysis/holders/verdict.ts';
import { RedactedStream, type Redactor } from '../analysis/redact.ts';
import type { HostState } from '../model/host-state.ts';
import { everythingUnread } from '../model/sample.ts';
import { type Selection, takesEverything } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { formatUnread } from '../sinks/unread.ts';
import type { Scope } from '../sinks/why-sentence.ts';
import { whyNotAllFiles } from '../sources/live/procfs/access.ts';
import { readLoad } from '../sources/live/procfs/files.ts';
import { openSampler } from '../sources/live/sampler.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { writeStderr } from '../terminal/output.ts';
import { look } from './look.ts';

export interface VerdictOptions {
  readonly selection: Selection;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  /** Undefined if everything is shown as it is. */
  readonly redactor: Redactor | undefined;
  /** Called with how tasks are read. */
  tell?(text: string): void;
}

/** A verdict on this host, how busy the host is, and what could not be found out. */
export interface TakenVerdict {
  readonly verdict: Verdict;
  readonly scope: Scope;
  readonly host: HostState;
  readonly unknown: readonly string[];
}

/** Looks at the host at one moment. */
export async function takeVerdict({ selection, root, source, redactor, tell }: VerdictOptions): Promise<TakenVerdict> {
  const stream = redactor && new RedactedStream(redactor);
  const mended = (text: string) => writeStderr(`kstack: ${text}\n`);
  const { verdict, missed } = await look(
    (wanted) =>
      openSampler({ clock: systemClock(), root }, { ...wanted, selection, source, mended, ...(tell && { tell }) }),
    (sample) => stream?.next(sample) ?? sample,
  );
  const { sample } = verdict;
  // Without bpf, these tasks are missing themselves, and that is among what is unread.
  const notAllFiles = sample.source.name === 'bpf' ? whyNotAllFiles(root) : undefined;
  const untold = [...(notAllFiles === undefined ? [] : [notAllFiles]), ...missed];
  const told = untold.map((text) => redactor?.text(text) ?? text);
  const unknown = [...told, ...formatUnread(everythingUnread(sample), true)];
  return { verdict, scope: takesEverything(selection) ? 'host' : 'selection', host: readLoad(root), unknown };
}
