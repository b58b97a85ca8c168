import { expect, it } from 'vitest';
import type { SystemCall } from '../../../model/system-call.ts';
import { type Details, describeCall } from './describe.ts';

const HIGH = { stackPointer: '0x7ffc00001000', programCounter: '0x7f0000002000' };
const TASK = { pid: 1, tid: 2 };

/** poll(0x1000, 2, -1) of x86-64. */
const POLL: SystemCall = { number: 7, arguments: ['0x1000', '0x2', '0xffffffff', '0x0', '0x0', '0x0'], ...HIGH };
/** struct pollfd twice: descriptor 3, for POLLIN. */
const POLLED = Buffer.from(new Int32Array([3, 1, 3, 1]).buffer);

function looking(more: Partial<Details> = {}): { readonly asked: string[]; readonly details: Details } {
  const asked: string[] = [];
  const details: Details = {
    descriptor: async ({ tid }, fd) => {
      asked.push(`fd ${fd} of ${tid}`);
      return 'pipe:[77]';
    },
    workingDirectory: async ({ tid }) => {
      asked.push(`directory of ${tid}`);
      return '/srv';
    },
    memory: async ({ tid }, address, bytes) => {
      asked.push(`${bytes} at ${address} of ${tid}`);
      return POLLED;
    },
    isStillIn: async () => true,
    ...more,
  };
  return { asked, details };
}

const describeIn = (call: SystemCall, { details }: { readonly details: Details }) =>
  describeCall({ task: TASK, call, stack: undefined }, { details, architecture: 'x64' });

it('looks at what an answer refers to, each thing once', async () => {
  const look = looking();
  expect(await describeIn(POLL, look)).toBe('poll([{3<pipe:[77]>, POLLIN}, {3<pipe:[77]>, POLLIN}], 2, -1)');
  expect(look.asked).toEqual(['16 at 4096 of 2', 'fd 3 of 2']);
});

it('looks at the working directory of a relative path', async () => {
  const look = looking({ memory: async () => Buffer.from('f\0') });
  expect(await describeIn({ ...POLL, number: 80 }, look)).toBe('chdir("f" in </srv>)');
  expect(look.asked).toEqual(['directory of 2']);
});

it('says nothing of what it saw where the task has left the call meanwhile', async () => {
  expect(await describeIn(POLL, looking({ isStillIn: async () => false }))).toBe('poll(0x1000, 2, -1)');
});

it('does not look again at what cannot be seen', async () => {
  const look = looking({ memory: async () => undefined });
  expect(await describeIn(POLL, look)).toBe('poll(0x1000, 2, -1)');
});

it('says what a restart_syscall resumes, as the stack tells', async () => {
  const details = looking().details;
  const call = { ...POLL, number: 219 };
  const stack = { id: 0, frames: [{ symbol: 'do_restart_poll', raw: '' }] };
  const text = (known?: typeof stack) =>
    describeCall({ task: TASK, call, stack: known }, { details, architecture: 'x64' });
  expect(await text(stack)).toBe('restart_syscall(<... resuming interrupted poll ...>)');
  expect(await text()).toBe('restart_syscall()');
});

it('does not look at a task whose call raises no question', async () => {
  const isStillIn = () => Promise.reject(new Error('asked'));
  expect(await describeIn({ ...POLL, number: 34 }, looking({ isStillIn }))).toBe('pause()');
});
