// The licence texts of what the builds contain.
import { readdir, readFile } from 'node:fs/promises';
import { POLYFILLS } from './bun-parts.mjs';

/** The folders in node_modules of which there are files among these, which may be reached through a link. */
export function packagesIn(files) {
  const folder = /(?:^|\/)(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)/;
  return [...new Set(files.map((file) => folder.exec(file)?.[1]).filter(Boolean))].sort();
}

/** The name of a package in such a folder. */
export const packageName = (folder) => folder.replace(/.*node_modules\//, '');

/** The texts of these packages. @throws Error if one has none */
export async function packageLicences(folders) {
  const texts = await Promise.all(
    folders.map(async (folder) => `${packageName(folder)}\n\n${await licenceIn(folder)}`),
  );
  return texts.join('\n\n');
}

async function licenceIn(folder) {
  const name = (await readdir(folder)).find((each) => /^licen[cs]e(\.md|\.txt)?$/i.test(each));
  if (name === undefined) throw new Error(`${folder} has no licence`);
  return readFile(`${folder}/${name}`, 'utf8');
}

/** The texts for Bun and its parts, and how to put another JavaScriptCore into the executable. */
export async function bunLicences(versions, parts) {
  const textOf = (name) => readFile(new URL(`licences/${name}.txt`, import.meta.url), 'utf8');
  const sections = await Promise.all(
    [...new Set(parts.map(({ text }) => text))].map(async (text) => {
      const those = parts.filter((part) => part.text === text);
      const names = those.map(({ name, version, licence, url }) => [name, version, `(${licence})`, url]);
      return `${names.map((words) => words.filter(Boolean).join(' ')).join('\n')}\n\n${await textOf(text)}`;
    }),
  );
  const webkit = parts.find(({ name }) => name === 'JavaScriptCore');
  return [
    `The executable contains Bun ${versions.bun} (MIT), https://github.com/oven-sh/bun

Copyright (c) the authors of Bun

${await textOf('mit')}
Bun contains files of JavaScriptCore and WebCore, which are under the GNU Library General Public License 2, and tinycc,
which is under the GNU Lesser General Public License 2.1. Their source is at the addresses below; of WebKit it is the
commit ${webkit.version}.
To run kstack with changed ones, build Bun with them (\`bun run build:local\` in https://github.com/oven-sh/bun, with
WebKit in vendor/WebKit), and build the executable with that Bun, from the source of kstack (build-standalone.mjs).

Bun also contains these packages of npm, all under the same terms as Bun:
${POLYFILLS.join(', ')}
`,
    ...sections,
  ].join(`\n\n${'-'.repeat(78)}\n\n`);
}
