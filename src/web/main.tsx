import 'uplot/dist/uPlot.min.css';
import './page.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { readPage } from './data.ts';
import { addUp, keepAddress, keepReport, recorded, show } from './state.ts';
import { followLive, keepToken, readFiles, streamKind } from './stream.ts';
import { counted } from './words.ts';

const place = document.getElementById('app');
if (place !== null) await start(place);

async function start(app: HTMLElement): Promise<void> {
  const tell = (text: string) => render(<p class="loading">{text}</p>, app);
  try {
    keepToken();
    const progress = (count: number) => tell(`${counted(count, 'sample')} read ...`);
    const kind = streamKind();
    if (kind === 'live') await followLive();
    else if (kind === 'files') recorded.value = await readFiles(progress);
    else show(await readPage(progress));
  } catch (error) {
    tell(`The samples cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  app.textContent = '';
  keepAddress();
  keepReport();
  render(<App />, app);
  await addUp();
}
