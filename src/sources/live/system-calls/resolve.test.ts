import { expect, it } from 'vitest';
import { observationOf, taskOf } from '../../../../test/samples.ts';
import type { Reading } from '../../../model/reading.ts';
import type { Observation } from '../../../model/sample.ts';
import type { SystemCall, SystemCallState } from '../../../model/system-call.ts';
import { type Details, resolveSystemCalls } from './resolve.ts';

const HIGH = '0x10000000000';
const READ: SystemCall = {
  number: 0,
  arguments: ['0x3', '0x0', '0x8', '0x0', '0x0', '0x0'],
  stackPointer: HIGH,
  programCounter: HIGH,
};
const STACK = { value: { id: 0, frames: [{ symbol: 'f', raw: 'f' }] } };

const DETAILS: Details = {
  descriptor: async ({ tid }, fd) => `/proc/${tid}/${fd}`,
  workingDirectory: async ({ tid }) => `/cwd/${tid}`,
  memory: async () => undefined,
  isStillIn: async () => true,
};

function inCall(tid: number, systemCall: Reading<SystemCallState> = { value: READ }): Observation {
  return observationOf(tid, { stack: STACK, systemCall });
}

function many(count: number): Observation[] {
  return Array.from({ length: count }, (_, at) => inCall(at + 1));
}

async function resolve(observations: readonly Observation[], more: { details?: Details; all?: boolean } = {}) {
  const options = { details: DETAILS, architecture: 'x64', all: false, ...more };
  return (await resolveSystemCalls(observations, options)).map(({ systemCall }) => systemCall);
}

const callsOf = async (...args: Parameters<typeof resolve>) =>
  (await resolve(...args)).map((call) => (call !== undefined && 'value' in call ? call.value : undefined));

it('says what the arguments of a call refer to, each of its own task', async () => {
  expect(await resolve(many(2))).toEqual([
    { value: { ...READ, name: 'read', text: 'read(3</proc/1/3>, NULL, 8)' } },
    { value: { ...READ, name: 'read', text: 'read(3</proc/2/3>, NULL, 8)' } },
  ]);
});

it('names all calls, and looks at the first tasks of each stack only, unless all are asked for', async () => {
  const other = { ...inCall(100), stack: { value: { id: 1, frames: [] } } };
  const texts = async (all: boolean) =>
    (await callsOf([...many(20), other], { all })).map((call) =>
      typeof call === 'object' ? [call.name, call.text !== undefined] : call,
    );
  const seen = ['read', true];
  expect(await texts(false)).toEqual([...Array(8).fill(seen), ...Array(12).fill(['read', false]), seen]);
  expect(await texts(true)).toEqual(Array(21).fill(seen));
});

it('looks at a thousand tasks of many stacks at most', async () => {
  const each = many(1200).map((observation, id) => ({ ...observation, stack: { value: { id, frames: [] } } }));
  const looked = (await callsOf(each)).filter((call) => typeof call === 'object' && call.text !== undefined);
  expect(looked).toHaveLength(1000);
});

it('looks at a few tasks at a time, also at all of a large group', async () => {
  let under = 0;
  let most = 0;
  const look = async <T>(value: T): Promise<T> => {
    most = Math.max(most, ++under);
    await Promise.resolve();
    under--;
    return value;
  };
  const details = {
    descriptor: () => look('/a'),
    memory: () => look(undefined),
    workingDirectory: () => look('/b'),
    isStillIn: () => look(true),
  };
  const calls = await callsOf(many(20_000), { details, all: true });
  expect(calls.every((call) => typeof call === 'object' && call.text === 'read(3</a>, NULL, 8)')).toBe(true);
  expect(most).toBeLessThan(150);
});

it('does not say what belongs to another call, where the task has left this one meanwhile', async () => {
  const details = { ...DETAILS, isStillIn: async () => false };
  expect(await callsOf(many(1), { details })).toEqual([{ ...READ, name: 'read', text: 'read(3, NULL, 8)' }]);
});

it('leaves alone what is no call: not read, not asked for, running or none', async () => {
  const others = [
    inCall(1, { unread: 'denied' }),
    inCall(2, { value: 'running' }),
    inCall(3, { value: 'none' }),
    observationOf(4),
  ];
  expect(await resolveSystemCalls(others, { details: DETAILS, architecture: 'x64', all: true })).toEqual(others);
});

it('names no call of an architecture that it does not know, and does not look at a task without numbers', async () => {
  const unknown = { ...taskOf(1), id: {} };
  const options = { details: DETAILS, architecture: 'x64', all: true };
  const [nameless] = await resolveSystemCalls([{ ...inCall(1), task: unknown }], options);
  expect(nameless?.systemCall).toEqual({ value: { ...READ, name: 'read' } });
  const [there] = await resolveSystemCalls([inCall(1)], { ...options, architecture: 'riscv64' });
  expect(there?.systemCall).toEqual({ value: { ...READ, text: 'system call 0(0x3, 0x0, 0x8, 0x0, 0x0, 0x0)' } });
});
