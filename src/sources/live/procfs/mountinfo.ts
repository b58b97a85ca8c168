/** A line of /proc/PID/mountinfo (proc_pid_mountinfo(5); fs/proc_namespace.c, show_mountinfo). */
export interface Mount {
  readonly id: number;
  readonly parentId: number;
  /** st_dev of its files, as a rule: `0:45`. Mounts of the same file system share it. */
  readonly device: string;
  /** Which of its directories is mounted. */
  readonly root: string;
  /** The mount point, from the root directory of the task. */
  readonly point: string;
  /** With its subtype: `ext4`, `nfs4`, `fuse.sshfs`. */
  readonly type: string;
  /** A device, `server:/path`, or any text. */
  readonly source: string;
  /** Those of the file system, by name; an option without a value has an empty one. */
  readonly options: ReadonlyMap<string, string>;
}

/** Fields before `-`, but for the optional ones: IDs, device, root, mount point, options of the mount. */
const FIXED_FIELDS = 6;
const DEVICE = /^\d+:\d+$/;

/**
 * The mounts in the order of the kernel: a later one covers an earlier one with the same mount point. Lines of another
 * form, such as one that was cut, are left out.
 */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const dash = fields.indexOf('-', FIXED_FIELDS);
    const [id = '', parentId = '', device = '', root, point] = fields;
    // Before Linux 5.10 an empty source was no field at all.
    const [type, source = '', options = ''] = dash === -1 ? [] : fields.slice(dash + 1);
    if (!/^\d+$/.test(id) || !DEVICE.test(device) || type === undefined || root === undefined || point === undefined)
      return [];
    return {
      id: Number(id),
      parentId: Number(parentId),
      device,
      root: unescapeOctal(root),
      point: unescapeOctal(point),
      type: unescapeOctal(type),
      source: unescapeOctal(source),
      options: parseOptions(options),
    };
  });
}

/**
 * Space, tab, newline, backslash and number sign (and, in options, comma) stand as `\040` (fs/seq_file.c, mangle_path).
 */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function parseOptions(text: string): Map<string, string> {
  return new Map(
    text.split(',').map((option) => {
      const equals = option.indexOf('=');
      if (equals === -1) return [unescapeOctal(option), ''];
      return [unescapeOctal(option.slice(0, equals)), unescapeOctal(option.slice(equals + 1))];
    }),
  );
}

/** The mounts that a task sees. */
export class MountTable {
  readonly mounts: readonly Mount[];
  readonly #byId: ReadonlyMap<number, Mount>;

  constructor(mounts: readonly Mount[]) {
    this.mounts = mounts;
    this.#byId = new Map(mounts.map((mount) => [mount.id, mount]));
  }

  byId(id: number): Mount | undefined {
    return this.#byId.get(id);
  }

  /**
   * The mount that a path leads to, if no symbolic link on the way leads elsewhere. Undefined if the task cannot see
   * it: the root directory of a chroot need not be a mount point.
   * @param path absolute, as from {@link normalPath}
   */
  at(path: string): Mount | undefined {
    const above = this.mounts.filter(({ point }) => isBelow(path, point));
    const within = (from: Mount | undefined) => (mount: Mount) =>
      from === undefined ? this.#isOutermost(mount) : mount !== from && mount.parentId === from.id;
    let found: Mount | undefined;
    // The one with the shortest mount point is met first. It may cover others that were mounted below it earlier.
    for (let left = above.length; left > 0; left--) {
      const next = above.filter(within(found)).reduce(shorter, undefined);
      if (next === undefined) break;
      found = next;
    }
    return found;
  }

  #isOutermost({ id, parentId }: Mount): boolean {
    return id === parentId || !this.#byId.has(parentId);
  }
}

function shorter(one: Mount | undefined, other: Mount): Mount {
  return one === undefined || other.point.length < one.point.length ? other : one;
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** An absolute path without `.`, `..`, and slashes that mean nothing; `..` is taken as text. */
export function normalPath(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/'))
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  return `/${names.join('/')}`;
}
