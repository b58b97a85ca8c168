import type { Edge, Evidence } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import type { EdgeContext } from './edge-source.ts';
import type { FileOnMount } from './file-systems.ts';

/** From a task that waits for a transaction to be committed to the thread that commits those of its file system. */
export async function edgeToCommit(
  tid: number,
  { mount, evidence }: FileOnMount,
  context: EdgeContext,
): Promise<Edge | undefined> {
  const thread = await commitThreadOf(mount, context, context.tasks.values());
  if (thread === undefined || thread.tid === tid) return undefined;
  return { from: tid, to: thread.tid, by: 'commit', inferred: true, evidence: [...evidence, ...thread.evidence] };
}

/**
 * The thread among these that commits the transactions of a file system: `jbd2/sda1-8` is named after the device
 * (fs/jbd2/journal.c, jbd2_journal_start_thread). Undefined if it is not among them, or if the file system has its
 * journal elsewhere.
 */
export async function commitThreadOf(
  { device }: Mount,
  { files }: EdgeContext,
  tasks: Iterable<Observation>,
): Promise<{ readonly tid: number; readonly evidence: readonly Evidence[] } | undefined> {
  const place = `/sys/dev/block/${device}`;
  const link = await files.link(place);
  if ('unread' in link) return undefined;
  const target = link.value.toString('latin1');
  const prefix = `jbd2/${target.slice(target.lastIndexOf('/') + 1)}-`;
  for (const { task } of tasks) {
    const { tid } = task.id;
    if (task.kernelThread !== true || task.comm?.startsWith(prefix) !== true || tid === undefined) continue;
    return {
      tid,
      evidence: [
        { place, text: target },
        { place: `/proc/${tid}/comm`, text: task.comm },
      ],
    };
  }
  return undefined;
}
