import type { Observation } from '../../../model/sample.ts';
import type { SystemCall } from '../../../model/system-call.ts';
import type { Mount, MountTable } from '../procfs/mountinfo.ts';
import { isSameCall, type TaskNumbers } from '../procfs/task-details.ts';
import { type CallFile, filesOfCall } from '../system-calls/files.ts';
import type { EdgeContext } from './edge-source.ts';
import { type FileSystemWait, fileSystemWaitOf } from './file-system-waits.ts';
import type { FileOnMount } from './file-systems.ts';
import { withCalls } from './with-calls.ts';

/** What a file may lie on while the functions of another file system wait. */
const STACKED = /^(?:overlay|ecryptfs|aufs|shiftfs)$/;
/** File systems without a device or a server: nothing of theirs is read or written slowly. */
const VIRTUAL =
  /^(?:proc|sysfs|devtmpfs|devpts|cgroup2?|debugfs|tracefs|securityfs|mqueue|bpf|pstore|binfmt_misc|configfs|fusectl)$/;
/** What these do not have yet is a file system. */
const MOUNTING = new Set(['mount', 'fsopen', 'fsconfig', 'fsmount', 'move_mount', 'umount', 'umount2']);

interface Found {
  readonly file: FileOnMount;
  /** The system call that tells the file, if it does. */
  readonly call?: SystemCall;
}

/** Whether a file system of this type can be what such a wait is for. */
export function fits(type: string, { types, frozen }: FileSystemWait): boolean {
  if (STACKED.test(type)) return true;
  return types === undefined || frozen === true ? !VIRTUAL.test(type) : types.test(type);
}

/** Finds which mounts tasks wait for. */
export class WaitedMounts {
  readonly #context: EdgeContext;
  readonly #onlyOnes = new Map<MountTable, Map<RegExp, Mount | undefined>>();

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  /** The mount of each of these tasks; undefined for those that wait for something else, or where it is not clear. */
  async of(waiters: readonly Observation[]): Promise<(FileOnMount | undefined)[]> {
    const found = await Promise.all(waiters.map((waiter) => this.#find(waiter)));
    const told = waiters.flatMap((waiter, at) => (found[at]?.call === undefined ? [] : withoutCall(waiter)));
    const now = new Map(
      (await withCalls(told, this.#context.reader)).map(({ task, systemCall }) => [task.id.tid, callIn(systemCall)]),
    );
    return waiters.map(({ task }, at) => {
      const { file, call } = found[at] ?? {};
      // A task that has left the call may have closed the file.
      return call === undefined || isSameCall(now.get(task.id.tid), call) ? file : undefined;
    });
  }

  async #find(waiter: Observation): Promise<Found | undefined> {
    const wait = fileSystemWaitOf(waiter);
    const { id, pid, kernelThread, comm = '' } = waiter.task;
    if (wait === undefined || id.tid === undefined || pid === undefined) return undefined;
    if (kernelThread === true) return asFound(await this.#flushedBy(comm));
    const task = { pid, tid: id.tid };
    const call = callIn(waiter.systemCall);
    const only = MOUNTING.has(call?.name ?? '') ? undefined : await this.#theOnlyOne(task, wait);
    const files = call === undefined || wait.fault ? [] : filesOfCall(call, process.arch);
    // To read a path from the task's memory takes longer, and no link misleads where there is no choice.
    if (call === undefined || files.length === 0 || (only !== undefined && files.every(isLookup))) return asFound(only);
    const fitting = (await this.#filesOf(task, files)).filter(({ mount: { type } }) => fits(type, wait));
    const [file] = fitting;
    if (file === undefined) return asFound(only);
    return fitting.every(({ mount }) => mount.device === file.mount.device) ? { file, call } : undefined;
  }

  async #filesOf(task: TaskNumbers, files: readonly CallFile[]): Promise<FileOnMount[]> {
    const { fileSystems } = this.#context;
    return (await Promise.all(files.map((file) => fileSystems.ofFile(task, file)))).flatMap((file) => file ?? []);
  }

  /** The file system, if the functions of the stack tell its type, and only one of that is mounted. */
  async #theOnlyOne(task: TaskNumbers, { types }: FileSystemWait): Promise<FileOnMount | undefined> {
    const table = types === undefined ? undefined : await this.#context.fileSystems.mountsOf(task);
    if (table === undefined || types === undefined) return undefined;
    const known = this.#onlyOnes.get(table) ?? new Map<RegExp, Mount | undefined>();
    this.#onlyOnes.set(table, known);
    if (!known.has(types)) known.set(types, theOnlyOne(table, types));
    const mount = known.get(types);
    if (mount === undefined) return undefined;
    const place = `/proc/${task.pid}/task/${task.tid}/mountinfo`;
    return { mount, inferred: true, evidence: [{ place, text: `${mount.point}, the only one of type ${mount.type}` }] };
  }

  /**
   * The file system that a worker writes back, by its name: `kworker/u8:1+flush-0:45` (mm/backing-dev.c, bdi_dev_name).
   * Those of block devices are named after a whole disk.
   */
  async #flushedBy(comm: string): Promise<FileOnMount | undefined> {
    const device = /[+-]flush-(0:\d+)/.exec(comm)?.[1];
    if (device === undefined) return undefined;
    const mount = (await this.#context.fileSystems.own())?.mounts.find((each) => each.device === device);
    if (mount === undefined) return undefined;
    return { mount, inferred: true, evidence: [{ place: '/proc/PID/comm', text: comm }] };
  }
}

function asFound(file: FileOnMount | undefined): Found | undefined {
  return file && { file };
}

function isLookup(file: CallFile): boolean {
  return 'path' in file;
}

function theOnlyOne({ mounts }: MountTable, types: RegExp): Mount | undefined {
  const all = mounts.filter(({ type }) => types.test(type));
  const [mount] = all;
  return all.every(({ device }) => device === mount?.device) ? mount : undefined;
}

function callIn(reading: Observation['systemCall']): SystemCall | undefined {
  if (reading === undefined || 'unread' in reading || typeof reading.value === 'string') return undefined;
  return reading.value;
}

function withoutCall({ systemCall: _, ...rest }: Observation): Observation {
  return rest;
}
