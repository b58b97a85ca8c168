import { describe, expect, it } from 'vitest';
import { Screen } from './screen.ts';

const SIZE = { rows: 3, columns: 10 };

describe('Screen', () => {
  it('sends everything first, and then only the lines that change', () => {
    const screen = new Screen();
    expect(screen.paint(['a', 'b'], SIZE)).toContain('\x1b[2J');
    expect(screen.paint(['a', 'b'], SIZE)).toBe('');
    const next = screen.paint(['a', 'c'], SIZE);
    expect(next).toContain('\x1b[2;1Hc\x1b[K');
    expect(next).not.toContain('\x1b[1;1H');
    expect(next).not.toContain('\x1b[2J');
  });

  it('erases lines that are gone', () => {
    const screen = new Screen();
    screen.paint(['a', 'b', 'c'], SIZE);
    expect(screen.paint(['a'], SIZE)).toMatch(/\[2;1H.\[K.*\[3;1H.\[K/s);
  });

  it('does not erase behind a line that fills the terminal', () => {
    const screen = new Screen();
    screen.paint(['a'], SIZE);
    expect(screen.paint(['0123456789'], SIZE)).not.toContain('\x1b[K');
    expect(screen.paint(['\x1b[7m012345678 \x1b[0m'], SIZE)).not.toContain('\x1b[K');
  });

  it('sends everything again on another size, and when it forgets', () => {
    const screen = new Screen();
    screen.paint(['a'], SIZE);
    expect(screen.paint(['a'], { rows: 4, columns: 10 })).toContain('\x1b[1;1Ha');
    screen.forget();
    expect(screen.paint(['a'], { rows: 4, columns: 10 })).toContain('\x1b[2J');
  });

  it('shows no more lines than there are rows', () => {
    expect(new Screen().paint(['1', '2', '3', '4'], SIZE)).not.toContain('\x1b[4;1H');
  });
});
