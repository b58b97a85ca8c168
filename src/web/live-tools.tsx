import { samplesShown } from './state.ts';
import { isLive, isPaused, orderRecording, recorder, resume, step, trouble } from './stream.ts';
import { counted, safe, timeText } from './words.ts';

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
      <RecordTool />
    </p>
  );
}

/** Starts and stops a recording, where the command line allows that, and shows its state. */
function RecordTool() {
  const state = recorder.value;
  if (state === undefined) return null;
  const { sinceMs, samples, trouble: wrong } = state;
  const isOn = sinceMs !== undefined;
  return (
    <>
      <button type="button" class="record" aria-pressed={isOn} onClick={() => orderRecording(isOn ? 'stop' : 'start')}>
        {isOn ? 'Stop recording' : 'Record'}
      </button>
      <span role="status" class="recorder">
        {isOn && `Recording since ${timeText(sinceMs)}: ${counted(samples, 'sample')}`}
        {!isOn && samples > 0 && `${counted(samples, 'sample')} recorded`}
        {wrong !== undefined && ` ${safe(wrong)}`}
      </span>
    </>
  );
}
