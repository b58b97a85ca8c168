import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { IteratorProgram } from './iterator-program.ts';
import { TASKS } from './object.ts';
import { StackLocks } from './stack-locks.ts';
import { Symbols, symbolSources } from './symbols.ts';
import { BpfReader } from './tasks.ts';

/** Environment variable for tests. */
const LOCKS = 'KSTACK_LOCKS';
const BTF = '/sys/kernel/btf/vmlinux';
const SYSFS = '/sys/kernel';
const LOCKDOWN = '/sys/kernel/security/lockdown';
/** PROC_PID_INIT_INO of include/linux/proc_ns.h. */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';
/**
 * include/uapi/linux/capability.h. The program needs CAP_PERFMON and CAP_BPF, or CAP_SYS_ADMIN alone.
 */
const CAPABILITIES = { SYS_ADMIN: 21n, PERFMON: 38n, BPF: 39n } as const;
/** The first kernel with bpf_get_current_task_btf and the other BPF functions that an iterator needs. */
const OLDEST = [5, 11] as const;

/** What decides whether BPF can work here. A parameter, so that a test can try each condition. */
export interface BpfConditions {
  readonly kernel: string;
  readonly root: string;
  readonly hasSysfs: boolean;
  readonly hasBtf: boolean;
  readonly lockdown: string;
  /** CapEff of /proc/self/status. */
  readonly capabilities: bigint;
  /** Whether `root` shows the PIDs of the initial namespace, as the program does. */
  readonly initialPidNamespace: boolean;
  /** Whether to find locks on the stacks of waiters even if the kernel records them: tests compare the two. */
  readonly forcesStackLocks: boolean;
}

export function conditions(root: string): BpfConditions {
  return {
    forcesStackLocks: process.env[LOCKS] === 'stack',
    kernel: release(),
    root,
    hasSysfs: existsSync(SYSFS),
    hasBtf: existsSync(BTF),
    lockdown: existsSync(LOCKDOWN) ? readFileSync(LOCKDOWN, 'latin1') : '',
    capabilities: BigInt(
      `0x${/^CapEff:\t([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'}`,
    ),
    initialPidNamespace:
      readlinkSync('/proc/self/ns/pid') === INITIAL_PID_NAMESPACE &&
      Number(readlinkSync(`${root}/self`)) === process.pid,
  };
}

/** Why BPF cannot work here; undefined if it is worth trying. */
export function whyNoBpf({
  kernel,
  root,
  hasSysfs,
  hasBtf,
  lockdown,
  capabilities,
  initialPidNamespace,
}: BpfConditions): string | undefined {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    return `Linux ${kernel} is older than ${OLDEST.join('.')}`;
  if (!initialPidNamespace) return `${root} is not of the initial PID namespace, whose PIDs BPF uses`;
  const has = (capability: bigint) => (capabilities & (1n << capability)) !== 0n;
  if (!has(CAPABILITIES.SYS_ADMIN) && !(has(CAPABILITIES.BPF) && has(CAPABILITIES.PERFMON)))
    return 'CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, are missing';
  if (!hasSysfs) return `there is no ${BTF}: no sysfs is mounted at /sys`;
  if (!hasBtf) return `there is no ${BTF}: the kernel is built without CONFIG_DEBUG_INFO_BTF`;
  if (lockdown.includes('[confidentiality]')) return `the kernel is locked down (${LOCKDOWN}: confidentiality)`;
  return undefined;
}

/**
 * Opens the BPF reader, or returns why it cannot. Programs for symbols are loaded on demand, and the kernel may refuse
 * each of them.
 */
export function openBpf(where: BpfConditions, monotonicMs: () => number): BpfReader | string {
  const reason = whyNoBpf(where);
  if (reason !== undefined) return reason;
  try {
    const program = new IteratorProgram(TASKS, 'tasks');
    try {
      program.tryOut();
      const symbols = new Symbols(symbolSources(where.root), monotonicMs);
      return new BpfReader(program, symbols, new StackLocks(symbols, monotonicMs), where.forcesStackLocks);
    } catch (error) {
      program.close();
      throw error;
    }
  } catch (error) {
    // Never fatal: /proc is read instead.
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
