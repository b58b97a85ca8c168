// Builds the browser's part of kstack, src/web, into one HTML document without data.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const WEB = join(import.meta.dirname, 'src/web');

/** In the browser, stacks mean what the page's data says: the rules are larger than all the rest. */
const toldFindings = {
  name: 'told-findings',
  setup({ onResolve }) {
    onResolve({ filter: /\/explain\.ts$/ }, () => ({ path: join(WEB, 'told-findings.ts') }));
    onResolve({ filter: /\/rules\/index\.ts$/ }, () => ({ errors: [{ text: 'the page must not contain the rules' }] }));
  },
};

/** The document, with what follows from its script and its style: nothing else may run or be loaded. */
export async function buildPage(version) {
  const result = await build({
    entryPoints: [join(WEB, 'main.tsx')],
    bundle: true,
    write: false,
    outdir: 'page',
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
    metafile: true,
    plugins: [toldFindings],
    define: { KSTACK_VERSION: JSON.stringify(version) },
  });
  const part = (ending) => result.outputFiles.find(({ path }) => path.endsWith(ending)).text.trim();
  const [script, style] = [part('.js'), part('.css')];
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const template = await readFile(join(WEB, 'page.html'), 'utf8');
  const parts = { policy, script: `<script type="module">${script}</script>`, style: `<style>${style}</style>` };
  const page = template.replaceAll(/<!--(policy|script|style)-->/g, (_, name) => parts[name]);
  return { page, inputs: Object.keys(result.metafile.inputs) };
}

function hashOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** Puts the page in the place of the empty one of src/sinks/page.ts. */
export function pageInside(page) {
  return {
    name: 'page-inside',
    setup({ onLoad }) {
      onLoad({ filter: /\/sinks\/page\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const contents = source.replace(/PAGE = `[^`]*`/, () => `PAGE = ${JSON.stringify(page)}`);
        if (contents === source) throw new Error(`${path}: there is no place for the page`);
        return { contents, loader: 'ts' };
      });
    },
  };
}
