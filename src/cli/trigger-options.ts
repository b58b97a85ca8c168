import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Trigger } from '../analysis/trigger.ts';
import type { Triggering } from '../background/triggered.ts';
import { durationIn, secondsIn } from '../model/duration.ts';
import type { PressureName } from '../model/pressure.ts';
import { WRONG_USAGE } from './exit-codes.ts';

const LEAST_SECONDS = 0.1;
const MOST_SECONDS = 60;
const MOST_KEEP_MS = 24 * 60 * 60 * 1000;

interface TriggerFlags {
  readonly when?: readonly string[];
  readonly dense: number;
  readonly keep: number;
}

/** Adds the options that say when a recording is to be dense. */
export function addTriggerOptions(command: Command): void {
  command
    .optionsGroup('Triggers:')
    .addOption(
      new Option(
        '--when <CONDITION>',
        "record densely when this comes true, including what came before: 'blocked>20 for 10s', 'io-pressure>30', hung-task, rule:ID, function:REGEX; may be repeated",
      ).argParser((text, earlier: readonly string[] = []) => [...earlier, text]),
    )
    .addOption(
      new Option('--dense <SECONDS>', 'time between samples after a trigger').argParser(parseDense).default(0.1),
    )
    .addOption(
      new Option('--keep <DURATION>', 'how long to record densely').argParser(parseKeep).default(60_000, '60s'),
    );
}

/**
 * What the options ask for; undefined if there is no condition. Exits if one is invalid.
 * @param root the mount point of the procfs
 * @param intervalSeconds between samples as long as nothing happens
 * @throws Error if the kernel does not tell what a condition is about
 */
export async function triggeringOf(
  command: Command,
  root: string,
  intervalSeconds: number,
): Promise<Triggering | undefined> {
  const { when = [], dense, keep }: TriggerFlags = command.opts();
  if (when.length === 0) {
    for (const name of ['dense', 'keep'])
      if (command.getOptionValueSource(name) === 'cli')
        command.error(`error: '--${name}' applies only with '--when'`, { exitCode: WRONG_USAGE });
    return undefined;
  }
  if (dense > intervalSeconds)
    command.error(`error: '--dense ${dense}' is a longer time between samples than '-i ${intervalSeconds}'`, {
      exitCode: WRONG_USAGE,
    });
  const { parseTrigger, TriggerError } = await import('../analysis/trigger.ts');
  const { compilePattern, PatternError } = await import('../sources/live/selection/pattern.ts');
  const { TriggerWatch } = await import('../analysis/trigger-watch.ts');
  const triggers: Trigger[] = [];
  const tests = new Map<string, (name: string) => boolean>();
  for (const text of when)
    try {
      const trigger = parseTrigger(text);
      triggers.push(trigger);
      if (trigger.kind === 'pressure') requirePressure(root, trigger.resource);
      if (trigger.kind !== 'function') continue;
      const { test } = await compilePattern({ source: trigger.pattern });
      tests.set(trigger.pattern, test);
    } catch (error) {
      if (!(error instanceof TriggerError || error instanceof PatternError)) throw error;
      command.error(`error: option '--when <CONDITION>' argument '${text}' is invalid. ${error.message}`, {
        exitCode: WRONG_USAGE,
      });
    }
  return { watch: new TriggerWatch(triggers, tests, keep), denseMs: 1000 * dense, keepMs: keep };
}

/** A kernel without CONFIG_PSI has no such file, nor has one that is booted with psi=0. */
function requirePressure(root: string, resource: PressureName): void {
  const file = `${root}/pressure/${resource}`;
  if (!existsSync(file)) throw new Error(`the kernel does not report the ${resource} pressure: there is no ${file}`);
}

function parseDense(text: string): number {
  const seconds = secondsIn(text);
  if (seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS) return seconds;
  throw new InvalidArgumentError(`Give seconds from ${LEAST_SECONDS} to ${MOST_SECONDS}.`);
}

function parseKeep(text: string): number {
  const keepMs = durationIn(text);
  if (keepMs !== undefined && keepMs <= MOST_KEEP_MS) return keepMs;
  throw new InvalidArgumentError('Give a duration such as 30s, 10m or 2h, up to one day.');
}
