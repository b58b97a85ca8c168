import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { unloadBpf } from '../../../native/bpf.ts';
import { loadObject } from '../../../native/bpf-loader.ts';
import { TASKS } from './object.ts';
import { Symbols, symbolSources } from './symbols.ts';
import { BpfReader } from './tasks.ts';

const BTF = '/sys/kernel/btf/vmlinux';
const SYSFS = '/sys/kernel';
const LOCKDOWN = '/sys/kernel/security/lockdown';
/** PROC_PID_INIT_INO of include/linux/proc_ns.h. */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';
/**
 * CAP_PERFMON, CAP_BPF and CAP_SYS_ADMIN of include/uapi/linux/capability.h: the program needs the first two, or the
 * third.
 */
const CAPABILITIES = { SYS_ADMIN: 21n, PERFMON: 38n, BPF: 39n } as const;
/** bpf_get_current_task_btf and what the program's type may call. */
const OLDEST = [5, 11] as const;

/** What may be wrong, one by one, each by what it was found from. Handed in, so that each can be tried. */
export interface BpfConditions {
  readonly kernel: string;
  readonly root: string;
  readonly hasSysfs: boolean;
  readonly hasBtf: boolean;
  readonly lockdown: string;
  /** CapEff of /proc/self/status. */
  readonly capabilities: bigint;
  /** Whether the numbers of tasks in `root` are those that the kernel itself uses, as the program does. */
  readonly initialPidNamespace: boolean;
}

export function conditions(root: string): BpfConditions {
  return {
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

/** Why tasks cannot be read by BPF here; undefined where nothing speaks against trying. */
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
  if (!initialPidNamespace) return `${root} is not of the initial PID namespace, by whose numbers BPF goes`;
  const has = (capability: bigint) => (capabilities & (1n << capability)) !== 0n;
  if (!has(CAPABILITIES.SYS_ADMIN) && !(has(CAPABILITIES.BPF) && has(CAPABILITIES.PERFMON)))
    return 'CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, are missing';
  if (!hasSysfs) return `there is no ${BTF}: no sysfs is mounted at /sys`;
  if (!hasBtf) return `there is no ${BTF}: the kernel is built without CONFIG_DEBUG_INFO_BTF`;
  if (lockdown.includes('[confidentiality]')) return `the kernel is locked down (${LOCKDOWN}: confidentiality)`;
  return undefined;
}

/**
 * What reads tasks by BPF, or why there is none. Programs for symbols are loaded when they are needed, and each may be
 * refused.
 */
export function openBpf(where: BpfConditions, monotonicMs: () => number, object = TASKS): BpfReader | string {
  const reason = whyNoBpf(where);
  if (reason !== undefined) return reason;
  try {
    const loaded = loadObject(object);
    try {
      return new BpfReader(loaded, new Symbols(symbolSources(where.root), monotonicMs));
    } catch (error) {
      unloadBpf(loaded);
      throw error;
    }
  } catch (error) {
    // Whatever it is, /proc is still there.
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
