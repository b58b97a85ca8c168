import { expect, it } from 'vitest';
import type { Event } from '../model/event.ts';
import type { Sample } from '../model/sample.ts';
import { SampleRing } from './sample-ring.ts';

function sample(timeMs: number, tasks: number, events: readonly Event[] = []): Sample {
  const task = { id: {}, commandLine: { value: '' } };
  return {
    timeMs,
    source: { name: 'bpf' },
    threads: true,
    fields: [],
    observations: Array.from({ length: tasks }, () => ({ task, stack: { unread: 'gone' } }) as const),
    holders: [],
    leftOut: {},
    unread: [],
    ...(events.length > 0 && { events }),
  };
}

const oom = (text: string): Event => ({ kind: 'oom', text });
const eventsOf = (samples: readonly Sample[]) => samples.map(({ events = [] }) => events.map(({ text }) => text));

it('keeps the latest samples within its bytes, and what happened at those that are gone', () => {
  const ring = new SampleRing(100_000);
  for (let at = 0; at < 10; at++) ring.add(sample(at, 20, at % 2 === 0 ? [oom(String(at))] : []));
  const samples = ring.take();
  expect(samples.map(({ timeMs }) => timeMs)).toEqual([6, 7, 8, 9]);
  expect(eventsOf(samples)).toEqual([['0', '2', '4', '6'], [], ['8'], []]);
  expect(ring.take()).toEqual([]);
});

it('keeps no sample that does not fit', () => {
  const ring = new SampleRing(100_000);
  ring.add(sample(0, 1000, [oom('x')]));
  expect(ring.length).toBe(0);
  expect(eventsOf([ring.withEvents(sample(1, 1))])).toEqual([['x']]);
});

it('counts the events that are too many', () => {
  const ring = new SampleRing(1_000_000);
  for (let at = 0; at < 30; at++) {
    ring.add(
      sample(
        at,
        1,
        Array.from({ length: 10 }, (_, i) => oom(`${at}.${i}`)),
      ),
    );
    ring.clear();
  }
  const { events = [] } = ring.withEvents(sample(30, 1));
  expect(events).toHaveLength(200);
  expect(events.at(-1)).toEqual({ kind: 'lost', text: '101 more events were left out' });
});
