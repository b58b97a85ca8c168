import { isHeldUp, type Verdict } from '../analysis/holders/verdict.ts';
import { Redactor } from '../analysis/redact.ts';
import { whyNotProc } from '../background/proc-root.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import type { Piece } from '../sinks/format.ts';
import { loadFormat } from '../sinks/formats.ts';
import { formatWhy, type WhyContext } from '../sinks/why.ts';
import { formatWhyJson } from '../sinks/why-json.ts';
import { whyNoStacks } from '../sources/live/procfs/access.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { log } from '../terminal/log.ts';
import { mayColour, writePieces, writeStderr } from '../terminal/output.ts';
import { writeProse } from '../terminal/prose.ts';
import { FAILED, UNKNOWN } from './exit-codes.ts';
import { takeVerdict } from './take-verdict.ts';
import { isUnfitForTerminal } from './unfit-for-terminal.ts';
import { writeFile } from './write-file.ts';

export interface WhyOptions {
  readonly selection: Selection;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  readonly format: 'text' | 'json' | 'html';
  /** Undefined for standard output. */
  readonly file: string | undefined;
  readonly evidence: boolean;
  /** Whether stand-ins replace what tells of people and machines. */
  readonly redact: boolean;
  /** Whether the exit code is the verdict: see {@link exitCodeOf}. */
  readonly exitCode: boolean;
  /** From when on a wait counts for the exit code. */
  readonly forMs: number;
  readonly verbose: boolean;
  /** The command as typed, for the advice to repeat it with sudo. */
  readonly typed: string;
}

/** Says what holds the host up. Returns the exit code. As a check, it tells by that code, too, that it has failed. */
export async function why(options: WhyOptions): Promise<number> {
  try {
    return await sayWhy(options);
  } catch (error) {
    if (!options.exitCode) throw error;
    writeStderr(`kstack: ${error instanceof Error ? error.message : String(error)}\n`);
    return UNKNOWN;
  }
}

async function sayWhy(options: WhyOptions): Promise<number> {
  const { selection, root, source, format, file, evidence, exitCode, forMs, verbose, typed } = options;
  if (isUnfitForTerminal(format, file)) return exitCode ? UNKNOWN : FAILED;
  const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed);
  if (refusal !== undefined) {
    writeStderr(`kstack: ${refusal}\n`);
    return exitCode ? UNKNOWN : FAILED;
  }
  const clock = systemClock();
  const { verdict, ...found } = await takeVerdict({
    selection,
    root,
    source,
    redactor: options.redact ? new Redactor() : undefined,
    tell: (text) => {
      if (verbose) log(clock, 'DEBUG', text);
    },
  });
  const context: WhyContext = { colour: file === undefined && mayColour(process.env), evidence, ...found };
  const pieces = piecesOf(format, verdict, context);
  if (file !== undefined) await writeFile(file, pieces);
  else await (format === 'text' ? writeProse : writePieces)(pieces);
  if (exitCode) return exitCodeOf(verdict, forMs);
  const { all, pids = [] } = selection;
  return verdict.tasks === 0 && all !== true && pids.length > 0 ? FAILED : 0;
}

/** 0: nothing is held up for so long. 1: something is. 3: that is not known, also because the search was cut short. */
function exitCodeOf(verdict: Verdict, forMs: number): number {
  const { longestMs, isBlind, isCut, untimed } = verdict;
  if (isHeldUp(verdict)) {
    if (longestMs === undefined) return UNKNOWN;
    if (longestMs >= forMs) return FAILED;
  }
  return isBlind || isCut || untimed > 0 ? UNKNOWN : 0;
}

async function* piecesOf(format: WhyOptions['format'], verdict: Verdict, context: WhyContext): AsyncGenerator<Piece> {
  if (format === 'json') yield* formatWhyJson(verdict, context);
  else if (format === 'text') yield* formatWhy(verdict, context);
  else
    yield* (await loadFormat(format)).write(
      [...(verdict.before === undefined ? [] : [verdict.before]), verdict.sample],
      {
        ...context,
        ...NO_MARKS,
        zoneAt: systemClock().zoneAt,
      },
    );
}

const NO_MARKS = { full: false, annotate: false };
