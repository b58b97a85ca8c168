import { describe, expect, it } from 'vitest';
import type { Edge, NodeKey, Resource } from '../../../../model/edge.ts';
import { withoutIdle } from './settle.ts';

const edge = (from: NodeKey, by: Edge['by'], to: NodeKey): Edge => ({ from, to, by, evidence: [] });
const resource = (key: string): Resource => ({
  key,
  kind: key.startsWith('mount') ? 'mount' : 'device',
  name: key,
  evidence: [],
});

const frozen: Partial<Resource> = { condition: 'is frozen', hangs: true };

function left(
  edges: readonly Edge[],
  idle: readonly string[],
  stands: readonly string[] = [],
  mount: Partial<Resource> = {},
) {
  const keys = new Set(edges.flatMap(({ from, to }) => [from, to]).filter((key) => typeof key === 'string'));
  const resources = [...keys].map((key) => ({ ...resource(key), ...(key.startsWith('mount') && mount) }));
  const found = withoutIdle({ edges, resources }, new Set(idle), new Set(stands));
  return { edges: found.edges.map(({ from, to }) => [from, to]), resources: found.resources.map(({ key }) => key) };
}

describe('what a wait leads to', () => {
  const array = [
    edge(1, 'device', 'device 9:0'),
    edge('device 9:0', 'beneath', 'device 8:0'),
    edge('device 9:0', 'beneath', 'device 8:16'),
  ];

  it('is the disk of an array that has something to do', () => {
    expect(left(array, ['device 8:0'])).toEqual({
      edges: [
        [1, 'device 9:0'],
        ['device 9:0', 'device 8:16'],
      ],
      resources: ['device 9:0', 'device 8:16'],
    });
  });

  it('is the array if no disk of it has', () => {
    expect(left(array, ['device 8:0', 'device 8:16'])).toEqual({
      edges: [[1, 'device 9:0']],
      resources: ['device 9:0'],
    });
  });

  it('is the disk beneath an array that counts nothing itself', () => {
    const mounted = [edge(1, 'mount', 'mount 9:0'), edge('mount 9:0', 'device', 'device 9:0'), ...array.slice(1)];
    expect(left(mounted, ['device 9:0', 'device 8:0']).resources).toEqual(['mount 9:0', 'device 9:0', 'device 8:16']);
  });

  it('is the file system if its devices have nothing to do', () => {
    const mounted = [
      edge(1, 'mount', 'mount 8:1'),
      edge('mount 8:1', 'device', 'device 8:1'),
      edge('device 8:1', 'beneath', 'device 8:0'),
      edge(2, 'device', 'device 8:0'),
    ];
    expect(left(mounted, ['device 8:1', 'device 8:0'])).toEqual({
      edges: [
        [1, 'mount 8:1'],
        [2, 'device 8:0'],
      ],
      resources: ['mount 8:1', 'device 8:0'],
    });
  });

  it('is the freeze of a file system, unless its device stands still', () => {
    const edges = [edge(1, 'frozen', 'mount 8:1'), edge('mount 8:1', 'device', 'device 8:1')];
    expect(left(edges, [], [], frozen).resources).toEqual(['mount 8:1']);
    expect(left(edges, [], ['device 8:1'], frozen).resources).toEqual(['mount 8:1', 'device 8:1']);
  });

  it('ends, even where a device seems to lie on itself', () => {
    const ring = [
      edge(1, 'device', 'device 7:0'),
      edge('device 7:0', 'beneath', 'device 7:1'),
      edge('device 7:1', 'beneath', 'device 7:0'),
    ];
    expect(left(ring, ['device 7:0', 'device 7:1']).resources).toEqual(['device 7:0', 'device 7:1']);
  });
});
