import type { FunctionComponent } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { LiveTools } from './live-tools.tsx';
import {
  chosen,
  fleet,
  openTask,
  recorded,
  SIDES,
  samples,
  samplesShown,
  shown,
  showSide,
  side,
  sides,
  VIEWS,
  type View,
  view,
  views,
} from './state.ts';
import { ChangesView } from './views/changes.tsx';
import { FlameView } from './views/flame.tsx';
import { FleetView } from './views/fleet.tsx';
import { HoldersView } from './views/holders.tsx';
import { TasksView } from './views/tasks.tsx';
import { TimelineView } from './views/timeline.tsx';
import { UnreadView } from './views/unread.tsx';
import { VerdictView } from './views/verdict.tsx';
import { WaitsView } from './views/waits.tsx';
import { counted, dateText, formatDuration, safe, timeText } from './words.ts';

const CONTENT: Readonly<Record<View, FunctionComponent>> = {
  fleet: FleetView,
  changes: ChangesView,
  verdict: VerdictView,
  timeline: TimelineView,
  waits: WaitsView,
  holders: HoldersView,
  flame: FlameView,
  tasks: TasksView,
  unread: UnreadView,
};

export function App() {
  // Not after the page is painted: a key that is pressed at once would be lost.
  useLayoutEffect(() => {
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const Content = CONTENT[view.value];
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Head />
      <main id="content" tabIndex={-1}>
        {samples.value.length === 0 && view.value !== 'fleet' ? (
          <p class="empty">There is no sample in this page.</p>
        ) : recorded.value?.isAddedUp === false && ADDS_UP.has(view.value) ? (
          <p class="empty">Adding up ...</p>
        ) : (
          <Content />
        )}
      </main>
      <footer>
        Made by kstack {KSTACK_VERSION}. Keys: <kbd>1</kbd> to <kbd>{views.value.length}</kbd> choose a view,{' '}
        <kbd>/</kbd> searches, <kbd>Esc</kbd> goes back to all of the time.
      </footer>
    </>
  );
}

/** What shows more than samples. */
const ADDS_UP: ReadonlySet<View> = new Set(['timeline', 'flame', 'tasks']);

declare const KSTACK_VERSION: string;

function Head() {
  const hosts = [...new Set(samples.value.map(({ host }) => safe(host ?? 'unknown host')))];
  const { fromMs, toMs } = shown.value;
  const kernel = samples.value.at(-1)?.kernel;
  const named = hosts.length > 3 ? `${hosts.slice(0, 3).join(', ')} and ${hosts.length - 3} more` : hosts.join(', ');
  return (
    <header>
      <div class="title">
        <h1>{named !== '' ? named : fleet.value === undefined ? 'kstack' : 'Fleet'}</h1>
        <p class="about" hidden={samples.value.length === 0}>
          {kernel === undefined ? '' : `Linux ${safe(kernel)} · `}
          {counted(samplesShown.value.length, 'sample')}
          {toMs > 0 && ` · ${dateText(fromMs)}`}
          {toMs > fromMs && ` to ${timeText(toMs)} (${formatDuration(toMs - fromMs)})`}
          {chosen.value !== undefined && (
            <button type="button" class="plain" onClick={() => (chosen.value = undefined)}>
              show all of the time
            </button>
          )}
        </p>
        <LiveTools />
        <SideChoice />
      </div>
      <nav aria-label="Views">
        {views.value.map((name, at) => (
          <a
            key={name}
            href={`#view=${name}`}
            aria-current={view.value === name ? 'page' : undefined}
            title={`key ${at + 1}`}
            data-text={VIEWS[name]}
            onClick={(event) => {
              event.preventDefault();
              view.value = name;
            }}
          >
            {VIEWS[name]}
          </a>
        ))}
      </nav>
    </header>
  );
}

/** Which of two recordings all views but the changes show. */
function SideChoice() {
  if (sides.value === undefined || view.value === 'changes') return null;
  return (
    <p class="sides">
      {SIDES.map((name) => (
        <button key={name} type="button" aria-pressed={side.value === name} onClick={() => showSide(name)}>
          {name}
        </button>
      ))}
    </p>
  );
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key === 'Escape') {
    if (typing) (event.target as HTMLElement).blur();
    else if (openTask.value !== undefined) openTask.value = undefined;
    else chosen.value = undefined;
    return;
  }
  if (typing) return;
  const name = views.value[Number(event.key) - 1];
  if (name !== undefined) view.value = name;
  if (event.key === '/') {
    event.preventDefault();
    document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
  }
}
