import { countKinds } from '../../analysis/explain-sample.ts';
import { everythingUnread } from '../../model/sample.ts';
import { missingText } from '../../sinks/report.ts';
import { recorded, reported, samplesShown } from '../state.ts';
import { counted, safe } from '../words.ts';

const SHOWN = 200;

/** What could not be read, and what was left out: what the other views cannot tell. */
export function UnreadView() {
  const report = reported.value;
  const last = samplesShown.value.at(-1);
  const entries = last === undefined ? [] : everythingUnread(last);
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
              <th scope="col">How often</th>
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
              <th scope="col">Task</th>
              <th scope="col">TID</th>
              <th scope="col">What</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {entries.slice(0, SHOWN).map(({ tid, comm, what, why, detail }, at) => (
              <tr key={at}>
                <td>{safe(comm ?? '')}</td>
                <td class="number">{tid === 0 ? '' : tid}</td>
                <td>{what}</td>
                <td>
                  {why}
                  {detail !== undefined && `: ${safe(detail)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {entries.length > SHOWN && <p class="more">{counted(entries.length - SHOWN, 'more line')}</p>}
      {last !== undefined && <LeftOut sample={last} />}
    </article>
  );
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
