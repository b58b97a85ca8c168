// Imported before all else, by main.ts.

/** Set by the build: whether this is the executable that has its runtime inside. */
declare const KSTACK_STANDALONE: boolean;

// SIGUSR1 would have Node.js open its debugger, to all users of the host. It is ignored: a stray one is not to end a
// run in the background either. In the executable, its entry has seen to it (standalone/entry.c).
if (typeof KSTACK_STANDALONE === 'undefined') {
  process.on('SIGUSR1', () => undefined);
  const { _debugEnd: closeDebugger }: { _debugEnd?: () => void } = process as object;
  // Until that line, the debugger opens at an address at which nobody reaches it (shell-start.mjs): but not where
  // kstack was started by `node kstack.cjs`. Who asked for the debugger has it.
  if (
    closeDebugger !== undefined &&
    ![...process.execArgv, process.env['NODE_OPTIONS']].some((option) => option?.includes('--inspect'))
  ) {
    closeDebugger();
    // A signal just before may have it opened when this is through.
    setImmediate(closeDebugger);
  }
}
