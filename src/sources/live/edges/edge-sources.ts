import { addressSpaces } from './address-spaces.ts';
import { devices } from './block/devices.ts';
import { children } from './children.ts';
import type { EdgeSource } from './edge-source.ts';
import { fileLocks } from './file-locks.ts';
import { freezers } from './freezers.ts';
import { futexes } from './futexes.ts';
import { mounts } from './mounts.ts';
import { streams } from './streams.ts';
import { terminals } from './terminals.ts';
import { tracers } from './tracers.ts';
import { transactions } from './transactions.ts';
import { vforkChildren } from './vfork-children.ts';
import { works } from './works.ts';

/**
 * Everything that finds edges beyond those that the facts about a task tell. Of two that find the same edge, the first
 * one counts: `transactions` knows for sure what `mounts` infers.
 */
export const EDGE_SOURCES: readonly EdgeSource[] = [
  freezers,
  addressSpaces,
  children,
  vforkChildren,
  transactions,
  tracers,
  mounts,
  devices,
  streams,
  terminals,
  futexes,
  fileLocks,
  works,
];
