import { dirname, join } from 'node:path';

/**
 * Has commander load node:child_process, which takes 3 ms of each start, when it starts a program; kstack's subcommands
 * are none.
 */
export const lazyChildProcess = {
  name: 'lazy-child-process',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('/commander/') ? { path: 'child_process', namespace: 'lazy' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'lazy' }, () => ({
      contents: "exports.spawn = (...words) => require('node:child_process').spawn(...words);",
    }));
  },
};

/** Has the executable call C by Bun itself, not by koffi. */
export const callsByBun = {
  name: 'calls-by-bun',
  setup({ onResolve }) {
    onResolve({ filter: /\/ffi-koffi\.ts$/ }, ({ importer, path }) => ({
      path: join(dirname(importer), path.replace('ffi-koffi', 'ffi-bun')),
    }));
    onResolve({ filter: /^bun:ffi$/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /^koffi$/ }, () => ({ errors: [{ text: 'koffi has no place in the executable' }] }));
  },
};
