import type { Edge, Resource } from '../../../../model/edge.ts';
import type { Observation } from '../../../../model/sample.ts';
import { decodeBytes } from '../../../../native/decode.ts';
import { normalPath } from '../../procfs/mountinfo.ts';
import type { TaskNumbers } from '../../procfs/task-details.ts';
import { PATH_BYTES } from '../../system-calls/arguments.ts';
import { filesOfCall } from '../../system-calls/files.ts';
import { type EdgeContext, type EdgeSource, type FoundEdges, waitsIn } from '../edge-source.ts';
import { fileSystemWaitOf } from '../file-system-waits.ts';
import { deviceIn, frozenMount, mountKey, mountResource } from '../file-systems.ts';
import { journalWaitOf } from '../journal-waits.ts';
import { type BlockDevice, BlockDevices, deviceKey, deviceResource } from './block-devices.ts';
import { beneathDevice, beneathLoop, beneathMount, joined } from './layers.ts';
import { settleDevices } from './settle.ts';
import { parseSwaps } from './swaps.ts';
import { deviceOfThread, loopOfThread } from './thread-device.ts';

const words = (text: string) => new Set(text.trim().split(/\s+/));

/** Kernel threads wait in these for a device: fs/jbd2/commit.c, fs/xfs, drivers/md, block. */
const DEVICE_WAITS = words(`jbd2_journal_commit_transaction jbd2_write_superblock xfs_buf_iowait xfs_buf_submit
  xlog_state_get_iclog_space
  xfs_bwrite xfsaild_push xlog_wait_on_iclog md_super_wait md_write_start md_do_sync wait_barrier raise_barrier
  raid5_get_active_stripe submit_bio submit_bio_noacct submit_bio_wait blk_mq_submit_bio blk_mq_get_tag
  blk_mq_freeze_queue_wait blk_execute_rq blkdev_issue_flush rq_qos_wait wbt_wait folio_wait_bit_common
  folio_wait_writeback __wait_on_buffer wait_on_page_bit_common wait_on_page_bit`);

/** Waits for a page that is swapped out: mm/memory.c, mm/page_io.c, mm/swap_state.c. */
const SWAP_IN = words(`do_swap_page swap_readpage swap_read_page swap_read_folio swapin_readahead
  swap_cluster_readahead swap_vma_readahead read_swap_cache_async shmem_swapin shmem_swapin_folio`);

/** What carries out the requests of a loop device (drivers/block/loop.c). */
const LOOP_WORK = words(`loop_process_work loop_workfn loop_rootcg_workfn loop_queue_work loop_handle_cmd lo_rw_aio
  lo_write_bvec lo_read_simple lo_req_flush do_req_filebacked`);

const DISK_WAIT = 'D';
/** Bounds the work; more than these wait for the same few devices. */
const MAX_WAITERS = 1000;
const AT_ONCE = 64;
const SWAPS_BYTES = 1 << 16;

/** Block devices, what they lie on, and what they do. */
export const devices: EdgeSource = {
  name: 'devices',
  concerns: (observation) =>
    isLoopWork(observation) ||
    (observation.state === DISK_WAIT &&
      (isThreadOfDevice(observation) || waitsIn(observation, SWAP_IN) || isInDeviceFile(observation))),

  async ofTasks(waiters, context): Promise<FoundEdges> {
    const found: FoundEdges[] = [];
    const reads = new BlockDevices(context);
    const some = waiters.slice(0, MAX_WAITERS);
    for (let from = 0; from < some.length && hasTime(context, 'tasks'); from += AT_ONCE)
      for (const each of await Promise.all(
        some.slice(from, from + AT_ONCE).map((task) => ofTask(task, reads, context)),
      ))
        found.push(each);
    if (waiters.length > some.length)
      context.tell(`of ${waiters.length} tasks that wait for devices only ${some.length} were asked for which`);
    return joined(found);
  },

  follows: ({ kind, condition }) => kind === 'mount' || (kind === 'device' && condition === undefined),

  async ofResources(resources, context): Promise<FoundEdges> {
    const found: FoundEdges[] = [];
    const reads = new BlockDevices(context);
    for (const resource of resources) {
      if (!hasTime(context, 'devices')) break;
      found.push(await beneath(resource, reads, context));
    }
    return joined(found);
  },

  settles: ({ kind }) => kind === 'device',
  settle: settleDevices,
};

const NOTHING: FoundEdges = { edges: [], resources: [] };

function hasTime({ clock, untilMs, tell }: EdgeContext, what: string): boolean {
  if (clock.monotonicMs() <= untilMs) return true;
  tell(`not all ${what} were asked for the devices that they wait for: no time left`);
  return false;
}

async function beneath({ key, kind, hangs }: Resource, reads: BlockDevices, context: EdgeContext): Promise<FoundEdges> {
  if (kind === 'device') return beneathDevice(key, reads, context);
  const mount = context.fileSystems.mounted(key.slice('mount '.length));
  if (mount === undefined) return NOTHING;
  const found = await beneathMount(key, mount, reads);
  // A frozen one need not wait for its device.
  return hangs === true ? { ...found, edges: found.edges.map((edge) => ({ ...edge, inferred: true })) } : found;
}

function isLoopWork(observation: Observation): boolean {
  const { task, state } = observation;
  if (task.kernelThread !== true || state === 'R' || loopOfThread(task.comm ?? '') === undefined) return false;
  return waitsIn(observation, LOOP_WORK);
}

function isThreadOfDevice(observation: Observation): boolean {
  const { kernelThread, comm = '' } = observation.task;
  if (kernelThread !== true || deviceOfThread(comm) === undefined) return false;
  if (journalWaitOf(observation) === 'handles') return false;
  return fileSystemWaitOf(observation)?.frozen !== true && waitsIn(observation, DEVICE_WAITS);
}

/** Whether it is in a system call on a block device itself (block/fops.c, block/ioctl.c). */
function isInDeviceFile({ stack }: Observation): boolean {
  return 'value' in stack && stack.value.frames.some(({ symbol }) => symbol.startsWith('blkdev_'));
}

async function ofTask(waiter: Observation, reads: BlockDevices, context: EdgeContext): Promise<FoundEdges> {
  const { id, pid, comm = '' } = waiter.task;
  const { tid } = id;
  if (tid === undefined || pid === undefined) return NOTHING;
  const name = { place: `/proc/${pid}/comm`, text: comm };
  const loop = isLoopWork(waiter) ? loopOfThread(comm) : undefined;
  if (loop !== undefined) {
    const found = await beneathLoop(tid, loop, { by: 'backing-file' }, reads, context);
    const edges = found.edges.map((edge) => ({ ...edge, evidence: [name, ...edge.evidence] }));
    return { edges, resources: [...frozenBehind(waiter, found, context), ...found.resources] };
  }
  if (waitsIn(waiter, SWAP_IN)) return ofSwap(tid, reads, context);
  const hint = isThreadOfDevice(waiter) ? deviceOfThread(comm) : undefined;
  if (hint === undefined) return ofDeviceFile({ pid, tid }, waiter, reads, context);
  return toDevice(await reads.byHint(hint), { from: tid, by: 'device', inferred: true, evidence: [name] });
}

/** The file system of a loop device's file, if the worker waits there for a thaw. */
function frozenBehind({ task, ...observation }: Observation, { edges }: FoundEdges, context: EdgeContext): Resource[] {
  const wait = fileSystemWaitOf(observation);
  const mount = context.fileSystems.mounted(deviceIn(`${edges.at(-1)?.to}`));
  if (wait?.frozen !== true || mount === undefined) return [];
  return [frozenMount(mount, { place: `/proc/${task.pid}/task/${task.id.tid}/stack`, text: wait.function })];
}

/** What is swapped out lies on the one swap device, if there is only one with something on it. */
async function ofSwap(
  from: number,
  reads: BlockDevices,
  { files, root, fileSystems }: EdgeContext,
): Promise<FoundEdges> {
  const read = await files.bytes(`${root}/swaps`, 0n, SWAPS_BYTES);
  const swaps = 'value' in read ? parseSwaps(decodeBytes(read.value)) : [];
  const [swap] = swaps;
  if (swap === undefined || swaps.length > 1) return NOTHING;
  const way = { from, inferred: true, evidence: [{ place: '/proc/swaps', text: `only ${swap.path}` }] } as const;
  if (swap.isDevice) return toDevice(await reads.byPath(swap.path), { ...way, by: 'device' });
  const mount = (await fileSystems.own())?.at(normalPath(swap.path));
  if (mount === undefined) return NOTHING;
  return { edges: [{ ...way, to: mountKey(mount.device), by: 'mount' }], resources: [mountResource(mount)] };
}

/** The device that a system call reads, writes or opens by its file in /dev. */
async function ofDeviceFile(
  task: TaskNumbers,
  { systemCall }: Observation,
  reads: BlockDevices,
  { details }: EdgeContext,
): Promise<FoundEdges> {
  const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
  if (typeof call !== 'object') return NOTHING;
  for (const file of filesOfCall(call, process.arch)) {
    const path = 'fd' in file ? await details.descriptor(task, file.fd) : await pathAt(task, file.path, details);
    if (typeof path !== 'string') continue;
    const device = await reads.byPath(path);
    if (device === undefined || !(await details.isStillIn(task, call))) continue;
    const place = 'fd' in file ? `/proc/${task.pid}/task/${task.tid}/fd/${file.fd}` : 'path';
    const inferred = !('fd' in file) && { inferred: true as const };
    return toDevice(device, { from: task.tid, by: 'device', ...inferred, evidence: [{ place, text: path }] });
  }
  return NOTHING;
}

async function pathAt(
  task: TaskNumbers,
  address: bigint,
  details: EdgeContext['details'],
): Promise<string | undefined> {
  const bytes = await details.memory(task, address, PATH_BYTES);
  const end = bytes?.indexOf(0) ?? -1;
  return bytes === undefined || end === -1 ? undefined : decodeBytes(Buffer.from(bytes.subarray(0, end)));
}

function toDevice(device: BlockDevice | undefined, way: Omit<Edge, 'to'>): FoundEdges {
  if (device === undefined) return NOTHING;
  return { edges: [{ ...way, to: deviceKey(device) }], resources: [deviceResource(device)] };
}
