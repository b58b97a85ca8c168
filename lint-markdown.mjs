// Checks the Markdown files of the repository, or those named: node lint-markdown.mjs [FILE...]
import { execFileSync } from 'node:child_process';
import { lint, readConfig } from 'markdownlint/promise';

/**
 * Markdown lets a fence be as long as it likes, and end with the file. So one that is never closed, or is closed by
 * fewer backticks than it has, takes all that follows for code, and no other rule has anything to say about that.
 */
const fences = {
  names: ['closed-fences'],
  description: 'Fences have three backticks and are closed before the next one',
  tags: ['code'],
  parser: 'none',
  function: ({ lines }, onError) => {
    let opened;
    for (const [at, line] of lines.entries()) {
      const [, backticks, language] = /^\s*(`{3,})\s*([^`]*)$/.exec(line) ?? [];
      if (backticks === undefined) continue;
      const lineNumber = at + 1;
      if (backticks.length > 3) onError({ lineNumber, detail: `${backticks.length} backticks` });
      if (opened === undefined) opened = lineNumber;
      else if (language === '') opened = undefined;
      else onError({ lineNumber, detail: `the fence of line ${opened} is still open` });
    }
    if (opened !== undefined) onError({ lineNumber: opened, detail: 'never closed' });
  },
};

const named = process.argv.slice(2);
const tracked = () =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '*.md'], {
    cwd: import.meta.dirname,
  });
const files = named.length > 0 ? named : tracked().toString().split('\0').filter(Boolean);
const results = await lint({
  files,
  config: await readConfig(`${import.meta.dirname}/.markdownlint.json`),
  customRules: [fences],
});
const faults = Object.entries(results).flatMap(([file, errors]) =>
  errors.map(({ lineNumber, ruleNames, ruleDescription, errorDetail }) => {
    return `${file}:${lineNumber} ${ruleNames.join('/')} ${ruleDescription}${errorDetail ? ` [${errorDetail}]` : ''}`;
  }),
);
console.log([...faults, `Checked ${files.length} Markdown files: ${faults.length} faults.`].join('\n'));
process.exitCode = faults.length > 0 ? 1 : 0;
