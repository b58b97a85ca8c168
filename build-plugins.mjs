import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';

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

/** Shortens the names in the matcher of regular expressions, the largest package: Node.js reads all of a file. */
export const smallMatcher = {
  name: 'small-matcher',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/re2js\/build\/index\.js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), {
        minify: true,
        format: 'esm',
        target: 'node20.19',
      });
      return { contents: code };
    });
  },
};
