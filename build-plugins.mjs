import { readFile } from 'node:fs/promises';
import { transform } from 'esbuild';

/** Has commander load node:child_process, which takes 3 ms of each start, when it starts a program; kstack's subcommands are none. */
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

/** Shortens the names in the matcher of regular expressions, the largest package: Node.js reads all of a file. */
export const smallMatcher = {
  name: 'small-matcher',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/re2js\/build\/index\.js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { minify: true, format: 'esm', target: 'node20.19' });
      return { contents: code };
    });
  },
};
