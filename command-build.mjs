// Bundles the command into a few CommonJS files: a runtime reads all of a file, whatever of it runs.
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { apart, onFirstCall } from './build-plugins.mjs';
import { pageInside } from './page-build.mjs';

/** The main module of the command, which is in the file that is started, with all that it imports. */
const MAIN = 'src/main.ts';

/** What a sample of this host takes, what the search for holders does, and what files do. */
const [LIVE, GRAPH, READ] = [
  ['src/cli/snapshot.ts', 'src/sinks/text.ts'],
  ['sources/live/edges/edge-search.ts'],
  ['cli/large-log.ts', 'cli/classic-thread.ts', 'cli/report.ts', 'cli/explain-file.ts'],
];

/**
 * Which other modules are together in a file, with all that they import; the last file has what is left. Of a file with
 * `whole`, all modules are needed at once, else each when it is asked for. Of one with `both`, only what these modules
 * need, too.
 */
const FILES = [
  { file: 'kstack.cjs', modules: [MAIN], whole: true },
  { file: 'model.cjs', modules: [...LIVE, ...GRAPH], both: READ, whole: true },
  { file: 'sample.cjs', modules: LIVE, whole: true },
  {
    file: 'patterns.cjs',
    modules: ['selection/pattern.ts', 'selection/cgroup-pattern.ts', 'node_modules/re2js/build/index.js'],
  },
  // What only some formats need, and the verdict.
  { file: 'edges.cjs', modules: GRAPH, whole: true },
  { file: 'files.cjs', modules: READ },
  { file: 'text.cjs', modules: ['sources/text/index.ts'] },
  { file: 'more.cjs', modules: [''] },
];

/** Modules with a file of their own, which share nothing with the others. */
const APART = {
  'rules.cjs': 'src/analysis/rules/index.ts',
  'page.cjs': 'src/sinks/page.ts',
  'parquet.cjs': 'src/sinks/parquet-library.ts',
  'clickhouse.cjs': 'src/clickhouse/client-library.ts',
};

/** Modules with a file of their own, which is loaded when a function of them is called. */
const ON_CALL = {
  'names.cjs': { module: 'src/analysis/lock-names/lock-name.ts', functions: ['lockName', 'workName'] },
};

/** What a thread of the command runs. */
const THREAD = { 'classic-reader.cjs': 'src/cli/classic-reader.ts' };

/** The file that is started. */
export const STARTED = 'kstack.cjs';
/** All others that buildCommand writes. */
export const LOADED = [
  ...FILES.map(({ file }) => file).filter((file) => file !== STARTED),
  ...Object.keys({ ...APART, ...ON_CALL, ...THREAD }),
];

/**
 * Writes the files to a folder. Returns which source files are in them.
 * @param banner the first lines of the file that is started
 * @param page the browser's page
 * @param options esbuild's
 */
export async function buildCommand({ banner = '', page, ...given }) {
  const shared = { ...given, format: 'cjs', minifyWhitespace: true, minifySyntax: true, metafile: true };
  const onCall = Object.entries(ON_CALL).map(([file, { module }]) => [file, module]);
  const others = [...Object.entries({ ...APART, ...THREAD }), ...onCall].map(([file, module]) =>
    build({
      ...shared,
      outExtension: { '.js': '.cjs' },
      entryPoints: { [file.replace('.cjs', '')]: module },
      plugins: [...given.plugins, pageInside(page)],
    }),
  );
  const plugins = [
    ...given.plugins,
    ...Object.entries(APART).map(([file, module]) => apart(module, file)),
    ...Object.entries(ON_CALL).map(([file, { module, functions }]) => onFirstCall(module, file, functions)),
  ];
  const inputs = await buildParts({ ...shared, banner, plugins });
  return [...inputs, ...(await Promise.all(others)).flatMap(({ metafile }) => Object.keys(metafile.inputs))];
}

async function buildParts({ outdir, banner, ...options }) {
  // Splits it so that modules that the same ones import are one part.
  const { metafile, outputFiles } = await build({
    ...options,
    outdir,
    entryPoints: [MAIN],
    write: false,
    splitting: true,
    format: 'esm',
    outExtension: {},
  });
  const parts = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const places = placesOf(parts);
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  for (const { file, whole } of FILES)
    await build({
      ...options,
      stdin: { contents: entryOf(file, whole, places, parts), resolveDir: outdir },
      outfile: join(outdir, file),
      format: 'cjs',
      outExtension: {},
      banner: { js: file === STARTED ? banner : '' },
      plugins: [partsInFiles(file, { places, texts, parts })],
    });
  return Object.keys(metafile.inputs);
}

/** The file of each part. */
function placesOf(parts) {
  const places = new Map();
  for (const { file, modules, both } of FILES) {
    const all = neededBy(parts, modules, file);
    const needed = both === undefined ? all : commonTo(all, neededBy(parts, both, file));
    for (const name of needed) if (!places.has(name)) places.set(name, file);
  }
  return places;
}

function commonTo(some, others) {
  return [...some].filter((name) => others.has(name));
}

function neededBy(parts, modules, file) {
  const named = [...parts].filter(([, { entryPoint = '' }]) => modules.some((module) => entryPoint.endsWith(module)));
  if (named.length < modules.length) throw new Error(`${file}: not each of its modules is imported on demand`);
  return withImports(parts, named);
}

/** These parts and all that they import, but for what they import on demand. */
function withImports(parts, named) {
  const all = new Set(named.map(([name]) => name));
  // The set grows during the loop.
  for (const name of all)
    for (const { path, kind, external } of parts.get(name).imports)
      if (kind === 'import-statement' && external !== true) all.add(basename(path));
  return all;
}

/** A module that gives the parts of a file to the others. */
function entryOf(file, whole, places, parts) {
  const names = [...places].flatMap(([name, place]) => (place === file ? [JSON.stringify(`./${name}`)] : []));
  if (whole) return objectsOf(names, parts);
  return `module.exports = {${names.map((name) => `get ${name}() { return require(${name}); }`).join(',\n')}};`;
}

/** Plain objects: esbuild itself would define a getter for each export, which takes longer than all else in a part. */
function objectsOf(names, parts) {
  const exported = names.map((name) => parts.get(JSON.parse(name).slice(2)).exports);
  const imports = names.map(
    (name, part) => `import {${exported[part].map((each) => `${each} as p${part}_${each}`).join()}} from ${name};`,
  );
  const objects = names.map(
    (name, part) => `${name}: {${exported[part].map((each) => `${each}: p${part}_${each}`).join()}}`,
  );
  return `${imports.join('\n')}\nmodule.exports = {${objects.join()}};`;
}

/** Takes the parts of a file from memory, and the others from their files. */
const partsInFiles = (file, { places, texts, parts }) => ({
  name: 'parts-in-files',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.c?js$/ }, ({ path }) => {
      const name = basename(path);
      return places.has(name) ? { path: name, namespace: 'part' } : { path, external: true };
    });
    onLoad({ filter: /.*/, namespace: 'part' }, ({ path }) => {
      const place = places.get(path);
      return { contents: place === file ? texts.get(path) : constantsOf(path, place, parts.get(path).exports) };
    });
  },
});

/**
 * A module that gives what another file exports as constants of this one: esbuild itself would ask two getters each
 * time that a function is called.
 */
function constantsOf(path, place, names) {
  const part = `const part = require(${JSON.stringify(`./${place}`)})[${JSON.stringify(`./${path}`)}];`;
  return [part, ...names.map((name) => `export const ${name} = part.${name};`)].join('\n');
}
