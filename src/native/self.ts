import { basename } from 'node:path';

/** Set by the build of the standalone executable. */
declare const KSTACK_STANDALONE: boolean;

/** Whether this is the executable with its runtime inside. */
export const isStandalone = typeof KSTACK_STANDALONE !== 'undefined' && KSTACK_STANDALONE;

/** The name that kstack was started by, without its folder. */
export function ownName(): string {
  const started = isStandalone ? process.argv0 : process.argv[1];
  return basename(started ?? 'kstack').replace(/\.c?js$/, '');
}

/** How to start kstack again with the same arguments. `runtimeOptions` are for Node.js. */
export function ownCommand(runtimeOptions: readonly string[]): { readonly file: string; readonly args: string[] } {
  return commandWith(process.argv.slice(2), runtimeOptions);
}

/** How to start kstack with these arguments. */
export function commandWith(
  words: readonly string[],
  runtimeOptions: readonly string[] = [],
): { readonly file: string; readonly args: string[] } {
  if (isStandalone) return { file: process.execPath, args: [...words] };
  const options = 'bun' in process.versions ? [] : runtimeOptions;
  return { file: process.execPath, args: [...options, ...process.execArgv, process.argv[1] ?? '', ...words] };
}
