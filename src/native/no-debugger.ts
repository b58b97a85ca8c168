// Imported by main.ts, before everything else.

/** Set by the build of the standalone executable. */
declare const KSTACK_STANDALONE: boolean;

// On SIGUSR1 Node.js would open its debugger to all users of the host. The signal is ignored, not left to its default,
// because a stray one must not end a background run. The executable's entry does the same (standalone/entry.c).
if (typeof KSTACK_STANDALONE === 'undefined') {
  process.on('SIGUSR1', () => undefined);
  const { _debugEnd: closeDebugger }: { _debugEnd?: () => void } = process as object;
  // A signal may have come before the line above. If the shell started kstack, that debugger is unreachable
  // (shell-start.mjs); if `node kstack.cjs` did, it is not. A debugger that was asked for stays open.
  if (
    closeDebugger !== undefined &&
    ![...process.execArgv, process.env['NODE_OPTIONS']].some((option) => option?.includes('--inspect'))
  ) {
    closeDebugger();
    // A signal just before may still open it after this returns.
    setImmediate(closeDebugger);
  }
}
