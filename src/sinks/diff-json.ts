import type { Diff, DiffedSide, DiffedWait } from '../analysis/times/diff.ts';
import { jsonText } from '../model/json-text.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import { rounded, stackIn, wholeFinding } from './json-values.ts';

/** The version of schema/kstack-diff-1.schema.json. Raise it when a property changes its meaning or disappears. */
const VERSION = 1;

/**
 * A comparison as one JSON document, with all that is in it.
 * @param problems what was wrong with the files
 */
export function formatDiffJson(diff: Diff, problems: readonly string[]): string {
  const [before, after] = diff.sides;
  const text = jsonText({
    format: 'kstack-diff',
    version: VERSION,
    before: sideIn(before),
    after: sideIn(after),
    appeared: diff.appeared.map(waitIn),
    grown: diff.grown.map(waitIn),
    shrunk: diff.shrunk.map(waitIn),
    disappeared: diff.disappeared.map(waitIn),
    unchanged: diff.unchanged,
    problems: problems.map(escapeInvalid),
  });
  return `${text}\n`;
}

function sideIn({ samples, seconds }: DiffedSide) {
  return { samples, seconds: rounded(seconds) };
}

function waitIn({ before, after, finding, stack }: DiffedWait) {
  return { before, after, finding: wholeFinding({ ...finding, within: undefined }), ...stackIn(stack) };
}
