// What came of a run of tests: node .ci/test-results.mjs RESULTS.json [TAG|!TAG]
// Prints "PASSED FAILED", then what failed, each with its message. A test that was skipped has failed, unless the tag
// that was asked for leaves it out: TAG all tests without it, !TAG all with it. What passed only when it was tried
// again goes to standard error.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const LONGEST_MESSAGE = 15;

const [file, tag = ''] = process.argv.slice(2);
const { numPassedTests, testResults } = JSON.parse(readFileSync(file, 'utf8'));
const failures = testResults.flatMap(failuresOf);
console.log(numPassedTests, failures.length);
for (const failure of failures) console.log(failure);
for (const lucky of testResults.flatMap(triedAgain)) console.error(`== Passed only when it was tried again: ${lucky}`);

function failuresOf({ name, status, message, assertionResults }) {
  const path = relative('.', name);
  if (status === 'failed' && assertionResults.length === 0) return [described(path, message)];
  return assertionResults
    .filter((test) => test.status === 'failed' || (test.status !== 'passed' && isAsked(test.tags)))
    .map((test) => described(`${path}: ${test.fullName}`, test.failureMessages?.join('\n') || test.status));
}

function triedAgain({ name, assertionResults }) {
  return assertionResults
    .filter((test) => test.status === 'passed' && test.failureMessages?.length > 0)
    .map((test) => described(`${relative('.', name)}: ${test.fullName}`, test.failureMessages.join('\n')));
}

function isAsked(tags) {
  return tag.startsWith('!') ? !tags.includes(tag.slice(1)) : tag === '' || tags.includes(tag);
}

function described(what, message) {
  return [what, ...message.split('\n').slice(0, LONGEST_MESSAGE)].join('\n    ');
}
