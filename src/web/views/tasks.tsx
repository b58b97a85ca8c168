import { useMemo, useState } from 'preact/hooks';
import { userOf } from '../../analysis/search-text.ts';
import { Rows } from '../rows.tsx';
import { openTask, query, recorded, shown } from '../state.ts';
import { COLUMNS, type Column, taskRows } from '../task-rows.ts';
import { counted, formatDuration, safe } from '../words.ts';
import { TaskLifeView } from './task-life.tsx';

/** All tasks of the chosen time, and the life of the one that was opened. */
export function TasksView() {
  const [sort, setSort] = useState<{ by: Column; isDown: boolean }>({ by: 'blocked', isDown: true });
  const known = recorded.value;
  const all = useMemo(() => known?.lives.all() ?? [], [known]);
  const span = shown.value;
  const text = query.value;
  const rows = useMemo(() => taskRows(all, span, text, sort), [all, span, text, sort]);
  const opened = openTask.value === undefined ? undefined : all.find(({ key }) => key === openTask.value);
  return (
    <article class="tasks">
      <div class="tools">
        <label>
          Search <input type="search" value={text} onInput={(event) => (query.value = event.currentTarget.value)} />
        </label>
        <span class="hint" role="status">
          {counted(rows.length, 'task')}. Enter or a click shows the life of one.
        </span>
      </div>
      <div class={opened === undefined ? '' : 'split'}>
        <Rows
          count={rows.length}
          label="Tasks"
          head={Object.entries(COLUMNS).map(([name, title]) => (
            <Heading key={name} name={name as Column} title={title} sort={sort} setSort={setSort} />
          ))}
          row={(at) => {
            const row = rows[at];
            if (row === undefined) return null;
            const { task } = row.life;
            const { observation, finding } = row.last;
            return (
              <>
                <span role="cell" class="pid number">
                  {task.pid ?? ''}
                </span>
                <span role="cell" class="tid number">
                  {task.id.tid ?? ''}
                </span>
                <span role="cell" class="name">
                  {safe(task.comm ?? '?')}
                </span>
                <span role="cell" class="user">
                  {safe(userOf(task))}
                </span>
                <span role="cell" class="state">
                  {observation.state ?? '?'}
                </span>
                <span role="cell" class={`kind ${finding.kind}`}>
                  {finding.kind}
                </span>
                <span role="cell" class="blocked number">
                  {row.blockedMs > 0 ? formatDuration(row.blockedMs) : ''}
                </span>
                <span role="cell" class="what" title={safe(finding.waitsFor)}>
                  {safe(finding.waitsFor)}
                </span>
              </>
            );
          }}
          onOpen={(at) => {
            openTask.value = rows[at]?.life.key;
          }}
        />
        {opened !== undefined && <TaskLifeView life={opened} span={span} />}
      </div>
    </article>
  );
}

const NUMBERS: ReadonlySet<Column> = new Set(['pid', 'tid', 'blocked']);

interface HeadingProps {
  readonly name: Column;
  readonly title: string;
  readonly sort: { by: Column; isDown: boolean };
  readonly setSort: (sort: { by: Column; isDown: boolean }) => void;
}

function Heading({ name, title, sort, setSort }: HeadingProps) {
  const isSorted = sort.by === name;
  return (
    <span
      role="columnheader"
      class={`${name}${NUMBERS.has(name) ? ' number' : ''}`}
      aria-sort={isSorted ? (sort.isDown ? 'descending' : 'ascending') : 'none'}
    >
      <button
        type="button"
        class="plain"
        onClick={() => setSort({ by: name, isDown: isSorted ? !sort.isDown : false })}
      >
        {title}
        {isSorted && (sort.isDown ? ' ↓' : ' ↑')}
      </button>
    </span>
  );
}
