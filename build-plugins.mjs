import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';

/**
 * Makes commander load node:child_process on demand, which saves 3 ms per start. Commander needs it only for
 * subcommands that are programs of their own; kstack has none.
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

/** Makes the executable call C through Bun instead of koffi. */
export const callsByBun = {
  name: 'calls-by-bun',
  setup({ onResolve }) {
    onResolve({ filter: /\/ffi-koffi\.ts$/ }, ({ importer, path }) => ({
      path: join(dirname(importer), path.replace('ffi-koffi', 'ffi-bun')),
    }));
    onResolve({ filter: /^bun:ffi$/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /^koffi$/ }, () => ({ errors: [{ text: 'the executable must not contain koffi' }] }));
  },
};

/**
 * Shortens the names in packages: Node.js reads all of a file, whatever of it runs. In our own files that would gain
 * less, and starting takes 5 ms longer with it.
 */
export const smallPackages = {
  name: 'small-packages',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/(?:re2js|commander|picomatch|pprof-format)\/.*\.m?js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { minify: true, target: 'node20.19' });
      return { contents: code };
    });
  },
};

/** The import of a module that stands in a file of its own: how esbuild's onResolve tells it. */
const isImportOf = (module) => {
  const filter = new RegExp(`(?:^|/)${module.replaceAll('.', '\\.')}$`);
  return ({ path, importer }) => filter.test(join(dirname(importer), path));
};

/**
 * Leaves a module in a file of its own, which is loaded when something of it is needed. The rules of `explain` are a
 * third of the code, the browser's page a fifth, and Node.js reads all of a file, whatever of it runs.
 */
export const apart = (module, file) => ({
  name: `apart-${file}`,
  setup({ onResolve }) {
    const isIt = isImportOf(module);
    onResolve({ filter: /\.ts$/ }, (wanted) => (isIt(wanted) ? { path: `./${file}`, external: true } : undefined));
  },
});

/**
 * The same, but the file is loaded when one of its functions is called for the first time. The build fails if one that
 * is imported is not among them.
 */
export const onFirstCall = (module, file, functions) => ({
  name: `on-first-call-${file}`,
  setup({ onResolve, onLoad }) {
    const isIt = isImportOf(module);
    const namespace = `on-call-${file}`;
    onResolve({ filter: /\.ts$/ }, (wanted) => (isIt(wanted) ? { path: file, namespace } : undefined));
    onResolve({ filter: /.*/, namespace }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /.*/, namespace }, () => ({
      contents: functions
        .map((name) => `export const ${name} = (...words) => require('./${file}').${name}(...words);`)
        .join('\n'),
    }));
  },
});
