import type { Finding } from './finding.ts';
import type { Stack } from './stack.ts';

/** A wait of tasks of several hosts. It has the same signature on every kernel and host. */
export interface FleetWait {
  readonly signature: string;
  readonly finding: Finding;
  readonly stack: Stack | undefined;
  /** Of all tasks together. */
  readonly taskSeconds: number;
  readonly tasks: number;
  readonly hosts: number;
  /** Some of the hosts, of the releases of their kernels, and of the modules on the stacks. */
  readonly names: readonly string[];
  readonly kernels: readonly string[];
  readonly modules: readonly string[];
  /** When it was first seen on any of the hosts, in all times that the database knows. */
  readonly firstMs: number;
}

/** A host on which more tasks are blocked than on the rest. */
export interface UnlikeHost {
  readonly host: string;
  /** How many tasks were blocked on average. */
  readonly load: number;
  /** On which wait most of them, and what part of the load that is. */
  readonly signature: string;
  readonly finding: Finding;
  readonly part: number;
}

/** What a report has to say of several hosts together. */
export interface Fleet {
  /** Those with the most task time, and how many there are. */
  readonly waits: readonly FleetWait[];
  readonly waitCount: number;
  /** Waits that were never seen before; undefined if nothing is known of before. */
  readonly fresh: readonly FleetWait[] | undefined;
  /** Hosts unlike the rest, and the load of the one in the middle; those with the highest load first. */
  readonly unlike: readonly UnlikeHost[];
  readonly usualLoad: number;
}
