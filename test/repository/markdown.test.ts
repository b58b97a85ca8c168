import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run, temporaryFolder } from '../harness.ts';

/** What the linter says of a page with this text below its title. */
async function lint(text: string) {
  const file = join(temporaryFolder(), 'page.md');
  writeFileSync(file, `# Page\n\n${text}\n`);
  return run(process.execPath, [join(import.meta.dirname, '../..', 'lint-markdown.mjs'), file]);
}

const LONG = 'word '.repeat(30).trim();

it.each([
  ['a fence of four backticks that three do not close', '````sh\nps\n```\n\nText.', 'closed-fences'],
  ['a fence that is not closed before the next one', '```sh\nps\n\n```sh\ntop\n```', 'closed-fences'],
  ['a fence that ends with the file', '```sh\nps', 'closed-fences'],
  ['a fence without a language', '```\nps\n```', 'MD040'],
  ['a heading that leaves out a level', '### Deep', 'MD001'],
  ['a list with other marks than dashes', '* one\n* two', 'MD004'],
  ['a space at the end of a line', 'Text. \nMore.', 'MD009'],
  ['a line of prose over 120 columns', LONG, 'MD013'],
])('the linter refuses %s', async (_, text, rule) => {
  const { code, stdout } = await lint(text);
  expect(stdout).toContain(rule);
  expect(code).toBe(1);
});

it('the linter lets code and tables be wide', async () => {
  const { code, stdout } = await lint(`\`\`\`sh\n${LONG}\n\`\`\`\n\n| ${LONG} |\n| ${'-'.repeat(LONG.length)} |`);
  expect([code, stdout]).toEqual([0, 'Checked 1 Markdown files: 0 faults.\n']);
});
