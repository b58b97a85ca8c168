import { readFileSync } from 'node:fs';

/** Set by the build of the standalone executable. */
declare const KSTACK_STANDALONE: boolean;

/** Whether this is the executable with its runtime inside. */
export const isStandalone = typeof KSTACK_STANDALONE !== 'undefined' && KSTACK_STANDALONE;

/** How kstack was started: its file as that was typed, or as it was found on the PATH. */
export function startedAs(): string {
  if (isStandalone) return process.argv0;
  // The runtime has made that of process.argv absolute.
  const raw = ownArguments().at(1 - process.argv.length);
  return raw?.toString() ?? process.argv[1] ?? 'kstack';
}

/** Whether the file was given to the runtime, rather than started itself: see shell-start.mjs. */
export function isGivenToRuntime(): boolean {
  return !isStandalone && !process.execArgv.some((option) => option.startsWith('--inspect-port='));
}

/** The raw arguments of this process (proc_pid_cmdline(5)); none if they cannot be read. */
export function ownArguments(): Buffer[] {
  let rest: Buffer;
  try {
    rest = readFileSync('/proc/self/cmdline');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
  const parts: Buffer[] = [];
  for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
    parts.push(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
  }
  return parts;
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
