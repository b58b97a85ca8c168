// The arguments for Vitest that run what failed once more: node .ci/tests-to-try-again.mjs RESULTS.json
// Prints one a line: nothing if nothing failed, or so much that it is no matter of luck.
import { readFileSync } from 'node:fs';

const MOST = 20;

const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const failed = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => ({ name, fullName })),
);
if (failed.length > 0 && failed.length <= MOST) {
  const literally = ({ fullName }) => fullName.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  console.log(`--testNamePattern=^(${failed.map(literally).join('|')})$`);
  for (const file of new Set(failed.map(({ name }) => name))) console.log(file);
}
