import { expect, it } from 'vitest';
import { paced } from './paced.ts';

it('lets others have their turn while it goes on, and leaves nothing out', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const items = Array.from({ length: 20 }, (_, at) => at);
  const found: number[] = [];
  for await (const item of paced(items)) {
    const since = performance.now();
    while (performance.now() - since < 10);
    found.push(item);
  }
  clearInterval(timer);
  expect(found).toEqual(items);
  expect(turns).toBeGreaterThan(2);
});
