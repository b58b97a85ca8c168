import { samplesShown } from './state.ts';
import { isLive, isPaused, resume, step, trouble } from './stream.ts';
import { safe, timeText } from './words.ts';

/** What a live page is doing, and the buttons that hold it and step back. */
export function LiveTools() {
  if (!isLive.value) return null;
  const paused = isPaused.value;
  const shownMs = samplesShown.value.at(-1)?.timeMs;
  const toggle = () => {
    if (paused) resume();
    else isPaused.value = true;
  };
  return (
    <p class="live">
      <button type="button" onClick={toggle}>
        {paused ? 'Go on' : 'Pause'}
      </button>
      <button type="button" onClick={() => step(-1)}>
        Earlier
      </button>
      <button type="button" disabled={!paused} onClick={() => step(1)}>
        Later
      </button>
      <span role="status">
        {trouble.value !== '' ? safe(trouble.value) : paused ? 'Paused' : 'Live'}
        {paused && shownMs !== undefined && ` at ${timeText(shownMs)}`}
      </span>
    </p>
  );
}
