import type { Evidence, Resource } from '../../../model/edge.ts';
import { decodeBytes } from '../../../native/decode.ts';
import type { FileReads } from '../procfs/file-reads.ts';
import { type Mount, MountTable, normalPath, parseMountinfo } from '../procfs/mountinfo.ts';
import type { TaskDetails, TaskNumbers } from '../procfs/task-details.ts';
import { PATH_BYTES } from '../system-calls/arguments.ts';
import type { CallFile } from '../system-calls/files.ts';

/** Some tens of thousands of mounts. */
const MOUNTINFO_BYTES = 8 << 20;
const FDINFO_BYTES = 4096;

/** The mount that a file lies on, and how that is known. */
export interface FileOnMount {
  readonly mount: Mount;
  /** Set if a symbolic link may lead elsewhere. */
  readonly inferred?: true;
  readonly evidence: readonly Evidence[];
}

export interface FileSystemsOptions {
  /** The mount point of the procfs. */
  readonly root: string;
  readonly files: FileReads;
  readonly details: TaskDetails;
}

/** Which file systems the files of tasks lie on, without a touch to any of these. For one sample. */
export class FileSystems {
  readonly #options: FileSystemsOptions;
  readonly #ofProcess = new Map<number, Promise<MountTable | undefined>>();
  /** By the namespace and the root directory. */
  readonly #tables = new Map<string, Promise<MountTable | undefined>>();
  readonly #byDevice = new Map<string, { readonly mount: Mount; readonly table: MountTable }>();
  readonly #descriptors = new Map<string, Promise<FileOnMount | undefined>>();

  constructor(options: FileSystemsOptions) {
    this.#options = options;
  }

  /** The mounts that a task sees; undefined if they cannot be read. */
  mountsOf(task: TaskNumbers): Promise<MountTable | undefined> {
    return remembered(this.#ofProcess, task.pid, () => this.#tableOf(task));
  }

  /** The mounts that kstack itself sees. */
  own(): Promise<MountTable | undefined> {
    return remembered(this.#tables, 'self', () => this.#readTable('/self'));
  }

  /** The first mount of a file system (`0:45`) in the tables read so far. */
  mounted(device: string): Mount | undefined {
    return this.#byDevice.get(device)?.mount;
  }

  /** The table that this mount is in. */
  tableWith(device: string): MountTable | undefined {
    return this.#byDevice.get(device)?.table;
  }

  /** The mount that a file of a task's system call lies on. Reads the task's memory for a path. */
  ofFile(task: TaskNumbers, file: CallFile): Promise<FileOnMount | undefined> {
    return 'fd' in file ? this.ofDescriptor(task, file.fd) : this.#ofLookup(task, file);
  }

  /** The mount of an open file (fs/proc/fd.c, seq_show). Undefined for sockets and pipes. */
  ofDescriptor(task: TaskNumbers, fd: number): Promise<FileOnMount | undefined> {
    return remembered(this.#descriptors, `${task.pid} ${fd}`, async () => {
      const place = `${folderOf(task)}/fdinfo/${fd}`;
      const read = await this.#options.files.bytes(`${this.#options.root}${place}`, 0n, FDINFO_BYTES);
      if ('unread' in read) return undefined;
      const id = /^mnt_id:\t(\d+)$/m.exec(read.value.toString('latin1'))?.[1];
      const mount = id === undefined ? undefined : (await this.mountsOf(task))?.byId(Number(id));
      if (mount === undefined) return undefined;
      return { mount, evidence: [{ place: `/proc${place}`, text: `mnt_id ${id}` }] };
    });
  }

  /** The mount that a path leads to, as a task sees it, if no symbolic link on the way leads elsewhere. */
  async ofPath(task: TaskNumbers, path: string): Promise<FileOnMount | undefined> {
    const mount = (await this.mountsOf(task))?.at(normalPath(path));
    if (mount === undefined) return undefined;
    const evidence = [{ place: `/proc${folderOf(task)}/mountinfo`, text: `${path} is on ${mount.point}` }];
    return { mount, inferred: true, evidence };
  }

  async #ofLookup(
    task: TaskNumbers,
    { path: address, from }: Extract<CallFile, { readonly path: bigint }>,
  ): Promise<FileOnMount | undefined> {
    const bytes = address === 0n ? new Uint8Array(1) : await this.#options.details.memory(task, address, PATH_BYTES);
    const end = bytes?.indexOf(0) ?? -1;
    if (bytes === undefined || end === -1) return undefined;
    const path = decodeBytes(Buffer.from(bytes.subarray(0, end)));
    if (path.startsWith('/')) return this.ofPath(task, path);
    // AT_EMPTY_PATH: the call is about the descriptor itself.
    if (path === '' && from !== 'cwd') return this.ofDescriptor(task, from);
    const folder = await this.#link(task, from === 'cwd' ? 'cwd' : `fd/${from}`);
    const root = await this.#link(task, 'root');
    if (folder === undefined || root === undefined) return undefined;
    // Links are told from the root directory of who asks, mount points from that of the task.
    const below = root !== '/' && folder.startsWith(`${root}/`) ? folder.slice(root.length) : folder;
    return this.ofPath(task, `${below}/${path}`);
  }

  async #tableOf(task: TaskNumbers): Promise<MountTable | undefined> {
    const links = await Promise.all([this.#link(task, 'ns/mnt'), this.#link(task, 'root')]);
    if (links.includes(undefined)) return this.#readTable(folderOf(task));
    return remembered(this.#tables, links.join(' '), () => this.#readTable(folderOf(task)));
  }

  async #readTable(folder: string): Promise<MountTable | undefined> {
    const { root, files } = this.#options;
    const read = await files.bytes(`${root}${folder}/mountinfo`, 0n, MOUNTINFO_BYTES);
    if ('unread' in read) return undefined;
    const table = new MountTable(parseMountinfo(decodeBytes(read.value)));
    for (const mount of table.mounts)
      if (!this.#byDevice.has(mount.device)) this.#byDevice.set(mount.device, { mount, table });
    return table;
  }

  async #link(task: TaskNumbers, name: string): Promise<string | undefined> {
    const read = await this.#options.files.link(`${this.#options.root}${folderOf(task)}/${name}`);
    return 'unread' in read ? undefined : decodeBytes(read.value);
  }
}

export function mountKey(device: string): string {
  return `mount ${device}`;
}

/** The device in such a key. */
export function deviceIn(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

/** A mounted file system as what tasks wait for. Its evidence shows what it is. */
export function mountResource({ device, point, type, source }: Mount): Resource {
  const evidence = [{ place: '/proc/PID/mountinfo', text: `${device} ${type} from ${source}` }];
  return { key: mountKey(device), kind: 'mount', name: point, evidence };
}

/** Whoever waits for a thaw is held up by no task: the freeze has no owner (fs/super.c, freeze_super). */
export function frozenMount(mount: Mount, shows: Evidence): Resource {
  const resource = mountResource(mount);
  return {
    ...resource,
    condition: 'is frozen',
    hangs: true,
    inferred: true,
    evidence: [shows, ...resource.evidence],
  };
}

/** Below the procfs. That of a thread: the main one may have ended, and threads need not share descriptors. */
function folderOf({ pid, tid }: TaskNumbers): string {
  return `/${pid}/task/${tid}`;
}

function remembered<K, V>(known: Map<K, Promise<V>>, key: K, find: () => Promise<V>): Promise<V> {
  let found = known.get(key);
  if (found === undefined) {
    found = find();
    known.set(key, found);
  }
  return found;
}
