import type { FleetWait, UnlikeHost } from '../../model/fleet.ts';
import { meanTasks } from '../../sinks/counted.ts';
import { whatFor } from '../../sinks/long-waits.ts';
import { fleet, samples } from '../state.ts';
import { counted, dateText, formatDuration, safe } from '../words.ts';
import { WaitDetail } from './waits.tsx';

const SHOWN = 50;
const SHOWN_NAMES = 20;

/** What several hosts say together: their waits, which of these are new, and which hosts are unlike the rest. */
export function FleetView() {
  const all = fleet.value;
  if (all === undefined) return null;
  const { waits, waitCount, fresh = [], unlike, usualLoad } = all;
  const shown = waits.slice(0, SHOWN);
  return (
    <article class="fleet">
      {samples.value.length === 0 && (
        <p class="more">
          These are too many samples for a page. That of one host has all views: <code>--host NAME</code>
        </p>
      )}
      <h2>Blocked, by the time of all tasks together</h2>
      {waits.length === 0 && <p class="empty">No task was blocked on any host.</p>}
      <Waits waits={shown} />
      {waitCount > shown.length && <p class="more">{counted(waitCount - shown.length, 'more wait')}</p>}
      {fresh.length > 0 && <h2>New, never seen before on these hosts</h2>}
      <Waits waits={fresh.slice(0, SHOWN)} />
      {unlike.length > 0 && (
        <>
          <h2>Hosts unlike the rest, where {meanTasks(usualLoad)} tasks are blocked on average</h2>
          <Unlike hosts={unlike.slice(0, SHOWN)} />
        </>
      )}
    </article>
  );
}

function Waits({ waits }: { waits: readonly FleetWait[] }) {
  const most = waits.reduce((sum, { taskSeconds }) => Math.max(sum, taskSeconds), 0);
  return (
    <ol class="findings">
      {waits.map((wait, at) => (
        <WaitItem key={`${wait.signature}${at}`} wait={wait} most={most} />
      ))}
    </ol>
  );
}

function WaitItem({ wait, most }: { wait: FleetWait; most: number }) {
  const { finding, stack, taskSeconds, tasks, hosts, names, kernels, modules, firstMs } = wait;
  return (
    <li>
      <details>
        <summary>
          <span class="bar" aria-hidden="true" style={{ '--share': most === 0 ? 0 : taskSeconds / most }} />
          <span class="amount">{formatDuration(1000 * taskSeconds)}</span>{' '}
          <span class="count">
            {counted(tasks, 'task')} on {counted(hosts, 'host')}:
          </span>{' '}
          <span class="what">{safe(whatFor(finding))}</span>
        </summary>
        <div class="detail">
          <WaitDetail finding={finding} advice={finding} stack={stack} />
          <dl class="facts">
            <dt>Hosts</dt>
            <dd>{listed(names, hosts)}</dd>
            <dt>First seen</dt>
            <dd>{dateText(firstMs)}</dd>
            {kernels.length > 0 && <dt>Kernels</dt>}
            {kernels.length > 0 && <dd>{listed(kernels, kernels.length)}</dd>}
            {modules.length > 0 && <dt>Modules</dt>}
            {modules.length > 0 && <dd>{listed(modules, modules.length)}</dd>}
          </dl>
        </div>
      </details>
    </li>
  );
}

function listed(names: readonly string[], count: number): string {
  const shown = names.slice(0, SHOWN_NAMES).map(safe).join(', ');
  return count > SHOWN_NAMES ? `${shown} and ${count - SHOWN_NAMES} more` : shown;
}

function Unlike({ hosts }: { hosts: readonly UnlikeHost[] }) {
  return (
    <table class="waits">
      <thead>
        <tr>
          <th scope="col">Host</th>
          <th scope="col" class="number">
            Blocked
          </th>
          <th scope="col" class="number">
            Share
          </th>
          <th scope="col">Most of them</th>
        </tr>
      </thead>
      <tbody>
        {hosts.map(({ host, load, part, finding }) => (
          <tr key={host}>
            <td>{safe(host)}</td>
            <td class="number">{meanTasks(load)}</td>
            <td class="number">{Math.round(100 * part)} %</td>
            <td class="what">{safe(whatFor(finding))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
