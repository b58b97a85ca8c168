import type { Edge } from '../../../model/edge.ts';
import type { EdgeContext } from './edge-source.ts';
import type { FileOnMount } from './file-systems.ts';

/**
 * From a task that waits for a transaction to be committed to the thread that commits those of its file system:
 * `jbd2/sda1-8` is named after the device (fs/jbd2/journal.c, jbd2_journal_start_thread). Undefined if that was not
 * seen, or if the file system has its journal elsewhere.
 */
export async function edgeToCommit(
  tid: number,
  { mount, evidence }: FileOnMount,
  { files, tasks }: EdgeContext,
): Promise<Edge | undefined> {
  const place = `/sys/dev/block/${mount.device}`;
  const link = await files.link(place);
  if ('unread' in link) return undefined;
  const target = link.value.toString('latin1');
  const prefix = `jbd2/${target.slice(target.lastIndexOf('/') + 1)}-`;
  for (const [to, { task }] of tasks)
    if (task.kernelThread === true && task.comm?.startsWith(prefix) === true && to !== tid)
      return {
        from: tid,
        to,
        by: 'commit',
        inferred: true,
        evidence: [...evidence, { place, text: target }, { place: `/proc/${to}/comm`, text: task.comm }],
      };
  return undefined;
}
