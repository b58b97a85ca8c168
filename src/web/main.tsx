import 'uplot/dist/uPlot.min.css';
import './page.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { readPage } from './data.ts';
import { keepAddress, keepReport, recorded } from './state.ts';
import { counted } from './words.ts';

const place = document.getElementById('app');
if (place !== null) await start(place);

async function start(app: HTMLElement): Promise<void> {
  const tell = (text: string) => render(<p class="loading">{text}</p>, app);
  try {
    recorded.value = await readPage((count) => tell(`${counted(count, 'sample')} read ...`));
  } catch (error) {
    tell(`The data of this page cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  app.textContent = '';
  keepAddress();
  keepReport();
  render(<App />, app);
}
