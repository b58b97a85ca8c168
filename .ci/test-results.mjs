// What came of a run of tests: node .ci/test-results.mjs RESULTS.json AGAIN.json [TAG|!TAG]
// Prints "PASSED FAILED", then what failed, each with its message. A test that was skipped has failed, unless the tag
// that was asked for leaves it out: TAG all tests without it, !TAG all with it. AGAIN.json, if it is there, is of those
// that failed and were tried again: what passed only then goes to standard error.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const LONGEST_MESSAGE = 15;

const [file, again, tag = ''] = process.argv.slice(2);
const { numPassedTests, testResults } = resultsOf(file);
const then = existsSync(again) ? resultsOf(again).testResults : [];
// Two tests of a file may have one name.
const passedThen = keysOf(then, 'passed');
for (const key of keysOf(then, 'failed')) passedThen.delete(key);
const faults = testResults.flatMap(faultsOf);
const failures = faults.filter(({ key }) => !passedThen.has(key));
const lucky = faults.filter(({ key }) => passedThen.has(key));
console.log(numPassedTests + lucky.length, failures.length);
for (const { text } of failures) console.log(text);
for (const { text } of lucky) console.error(`== Passed only when it was tried again, alone: ${text}`);

function resultsOf(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function keysOf(results, wanted) {
  return new Set(
    results.flatMap(({ name, assertionResults }) =>
      assertionResults.filter(({ status }) => status === wanted).map(({ fullName }) => keyOf(name, fullName)),
    ),
  );
}

function faultsOf({ name, status, message, assertionResults }) {
  const path = relative('.', name);
  if (status === 'failed' && assertionResults.length === 0) return [{ key: path, text: described(path, message) }];
  return assertionResults
    .filter((test) => test.status === 'failed' || (test.status !== 'passed' && isAsked(test.tags)))
    .map(({ fullName, failureMessages, status: was }) => ({
      key: keyOf(name, fullName),
      text: described(keyOf(name, fullName), failureMessages?.join('\n') || was),
    }));
}

function keyOf(name, fullName) {
  return `${relative('.', name)}: ${fullName}`;
}

function isAsked(tags) {
  return tag.startsWith('!') ? !tags.includes(tag.slice(1)) : tag === '' || tags.includes(tag);
}

function described(what, message) {
  return [what, ...message.split('\n').slice(0, LONGEST_MESSAGE)].join('\n    ');
}
