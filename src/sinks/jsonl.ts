import { explainGroups, explainObservation } from '../analysis/explain/explain-sample.ts';
import { signatureOf } from '../analysis/signature.ts';
import type { Finding } from '../model/finding.ts';
import { jsonText } from '../model/json-text.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import type { Sample } from '../model/sample.ts';
import { eachSample, type Format } from './format.ts';
import { eventEntries, framesOf, placeOf, pressureEntries, taskText, unreadEntries } from './json-values.ts';

/** JSON lines: one per task, thing that could not be read, event and pressure. Each is complete in itself. */
export const format: Format = {
  fields: ['uid', 'cgroup', 'namespacePid', 'systemCall'],
  facts: true,
  binary: false,
  write: eachSample(formatJsonLines),
};

function* formatJsonLines(sample: Sample): Generator<string> {
  const place = placeOf(sample);
  const endings = new Map<Finding, string>();
  for (const { stack, finding } of explainGroups(sample)) {
    if (stack === undefined) continue;
    const { rule = null, waitsFor } = finding;
    const mixed = stack.mixed === true && { mixed: true };
    const told = { frames: framesOf(stack), ...mixed, rule, waitsFor: escapeInvalid(waitsFor) };
    endings.set(finding, jsonText({ signature: signatureOf(stack), ...told }).slice(1));
  }
  const beginning = jsonText({ type: 'task', ...place }).slice(0, -1);
  for (const observation of sample.observations) {
    const { stack } = observation;
    const ending = 'unread' in stack ? UNREAD : (endings.get(explainObservation(observation)) ?? EMPTY);
    yield `${beginning},${taskText(observation, sample).slice(1)},${ending}\n`;
  }
  for (const entry of unreadEntries(sample)) yield `${jsonText({ type: 'unread', ...place, ...entry })}\n`;
  for (const entry of eventEntries(sample)) yield `${jsonText({ type: 'event', ...place, ...entry })}\n`;
  for (const entry of pressureEntries(sample.pressure)) yield `${jsonText({ type: 'pressure', ...place, ...entry })}\n`;
}

const EMPTY = '"signature":null,"frames":[],"rule":null,"waitsFor":null}';
const UNREAD = EMPTY.replace('[]', 'null');
