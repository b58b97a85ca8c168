import { countKinds } from '../../analysis/explain/explain-sample.ts';
import { everythingUnread, type Unread } from '../../model/sample.ts';
import { missingText } from '../../sinks/report.ts';
import { recorded, reported, samplesShown } from '../state.ts';
import { counted, safe } from '../words.ts';

const SHOWN = 200;
/** Of those with the same trouble. */
const MOST_TASKS = 12;

/** What could not be read, and what was left out: what the other views cannot tell. */
export function UnreadView() {
  const report = reported.value;
  const last = samplesShown.value.at(-1);
  const entries = last === undefined ? [] : everythingUnread(last);
  const groups = byTrouble(entries);
  const damaged = recorded.value?.damaged ?? [];
  const nothing = report !== undefined && report.unread.length + entries.length + damaged.length === 0;
  return (
    <article>
      <h2>What could not be read</h2>
      {nothing && <p class="empty">Everything that was asked for could be read.</p>}
      {damaged.map((line) => (
        <p key={line}>{safe(line)}</p>
      ))}
      {(report?.unread.length ?? 0) > 0 && (
        <table>
          <caption>In the chosen time</caption>
          <thead>
            <tr>
              <th scope="col">What, and why</th>
              <th scope="col" class="number">
                How often
              </th>
            </tr>
          </thead>
          <tbody>
            {report?.unread.map((each) => (
              <tr key={missingText(each)}>
                <td>{safe(missingText(each))}</td>
                <td class="number">{each.count.toLocaleString('en')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {entries.length > 0 && (
        <table>
          <caption>In the last sample</caption>
          <thead>
            <tr>
              <th scope="col">What, and why</th>
              <th scope="col" class="number">
                Tasks
              </th>
              <th scope="col">Of which tasks</th>
            </tr>
          </thead>
          <tbody>
            {groups.slice(0, SHOWN).map(([title, tasks]) => (
              <tr key={title}>
                <td>{safe(title)}</td>
                <td class="number">{tasks.length.toLocaleString('en')}</td>
                <td class="names">
                  {safe(tasks.slice(0, MOST_TASKS).join(', '))}
                  {tasks.length > MOST_TASKS && ` and ${(tasks.length - MOST_TASKS).toLocaleString('en')} more`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {groups.length > SHOWN && <p class="more">{counted(groups.length - SHOWN, 'more line')}</p>}
      {last !== undefined && <LeftOut sample={last} />}
    </article>
  );
}

/** The tasks, by what of them was not read and why. */
function byTrouble(entries: readonly Unread[]): [title: string, tasks: string[]][] {
  const groups = new Map<string, string[]>();
  for (const { tid, comm = '', what, why, detail } of entries) {
    const title = `${what}: ${why}${detail === undefined ? '' : `: ${detail}`}`;
    const task = tid === 0 ? comm : `${comm} ${tid}`.trim();
    const tasks = groups.get(title);
    if (tasks === undefined) groups.set(title, [task]);
    else tasks.push(task);
  }
  return [...groups];
}

function LeftOut({ sample }: { sample: Parameters<typeof countKinds>[0] }) {
  const left = Object.entries(sample.leftOut).filter(([, count]) => count > 0);
  const { blocked, idle, running, unexplained } = countKinds(sample);
  return (
    <>
      <h2>What was looked at</h2>
      <p>
        In the last sample: {counted(blocked, 'task')} blocked, {idle.toLocaleString('en')} idle,{' '}
        {running.toLocaleString('en')} running, {unexplained.toLocaleString('en')} unexplained.
        {left.length > 0 && ` Left out of it: ${left.map(([name, count]) => `${count} ${name}`).join(', ')}.`}
      </p>
    </>
  );
}
