import { describe, expect, it } from 'vitest';
import { told } from '../../../../test/told.ts';

const STACK = '[<0>] f_wait+0x1/0x2\n[<0>] g_wait+0x1/0x2\n';

describe('base64 without a head', () => {
  it.each([
    ['of a short text', 0],
    ['of a console, in one line of many kilobytes', 1200],
  ])('is read: %s', async (_, count) => {
    const text = `${'the system has started, all is well\n'.repeat(count)}\n${STACK}`;
    const padded = text.padEnd(Math.ceil(text.length / 3) * 3, '\n');
    expect(await told(`${Buffer.from(padded).toString('base64')}\n`)).toEqual([': f_wait g_wait']);
  });
});
