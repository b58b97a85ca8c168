import type { Fleet, FleetWait } from '../model/fleet.ts';
import { rounded, stackIn, timeIn, wholeFinding } from './json-values.ts';

/** What several hosts say together, as JSON has it. */
export function fleetIn({ waits, waitCount, fresh, unlike, usualLoad }: Fleet) {
  return {
    waitCount,
    waits: waits.map(waitIn),
    fresh: fresh === undefined ? null : fresh.map(waitIn),
    usualLoad,
    unlike: unlike.map(({ host, load, signature, finding, part }) => {
      const most = { signature, part, finding: wholeFinding({ ...finding, within: undefined }) };
      return { host, load, most };
    }),
  };
}

function waitIn({ signature, finding, stack, taskSeconds, firstMs, names, ...counts }: FleetWait) {
  const { frames } = stackIn(stack);
  return {
    wait: signature,
    taskSeconds: rounded(taskSeconds),
    ...counts,
    hostNames: names,
    firstSeen: timeIn(firstMs),
    finding: wholeFinding({ ...finding, within: undefined }),
    frames,
  };
}
