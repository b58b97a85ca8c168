import { describe, expect, it } from 'vitest';
import { explainCutName } from './cut-name.ts';

const explained = (symbol: string) => {
  const { kind, waitsFor, frame, next } = explainCutName({ id: 1, frames: [{ symbol, raw: symbol }] });
  return { kind, waitsFor, function: frame?.symbol, next };
};

describe('the one function that ps prints', () => {
  it('is explained without its leading underscores, and keeps the name that was printed', () => {
    expect(explained('do_sys_pause')).toMatchObject({
      kind: 'idle',
      waitsFor: 'a signal',
      function: 'do_sys_pause',
    });
    expect(explained('lock_page')).toMatchObject({ kind: 'blocked', function: 'lock_page' });
  });

  it.each(['do_sys_pau', 'do_wai', 'rescue', 'rpc_wait_bit_kil'])('is explained where it is cut: %s', (cut) => {
    expect(explained(cut)).toMatchObject({ kind: expect.stringMatching(/^(idle|blocked)$/), function: cut });
  });

  it('is explained as it is where that says something, though longer names begin so', () => {
    expect(explained('ep_poll').waitsFor).toBe(explained('ep_pol').waitsFor);
  });

  it('is no idle one in state D, as the kernel leaves out the functions of locks', () => {
    const stack = { id: 7, frames: [{ symbol: 'do_epoll_wai', raw: 'do_epoll_wai' }] };
    expect([undefined, 'S', 'D'].map((state) => explainCutName(stack, state).kind)).toEqual([
      'idle',
      'idle',
      'blocked',
    ]);
  });

  it('is not guessed where functions that begin so mean different things', () => {
    expect(explained('futex_')).toEqual({
      kind: 'unexplained',
      waitsFor: expect.stringMatching(/^unknown: \d+ known functions begin with futex_: ps has cut off the rest$/),
      function: 'futex_',
      next: ['kstack -p PID -f long'],
    });
    for (const cut of ['fut', 'no_such_fun'])
      expect(explained(cut)).toMatchObject({ kind: 'unexplained', waitsFor: expect.stringContaining('no rule knows') });
  });
});
