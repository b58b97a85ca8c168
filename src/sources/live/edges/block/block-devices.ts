import type { Evidence, Resource } from '../../../../model/edge.ts';
import type { Reading } from '../../../../model/reading.ts';
import { decodeBytes } from '../../../../native/decode.ts';
import type { EdgeContext } from '../edge-source.ts';
import { parseDiskNames } from './requests.ts';
import type { DeviceHint } from './thread-device.ts';

export interface BlockDevice {
  /** `259:3`. */
  readonly number: string;
  /** In sysfs: `sda1`, `dm-3`, `cciss!c0d0`. */
  readonly name: string;
  /** Of the disk that it is a partition of. */
  readonly disk: string | undefined;
  /** Where the kernel says so. */
  readonly evidence: Evidence;
}

const SYSFS = '/sys';
/** More than any of the attributes has; a path is at most so long. */
const ATTRIBUTE_BYTES = 4096;
const DISKSTATS_BYTES = 1 << 20;
/** As many devices are tried for lying beneath another. */
const MAX_NAMES = 4000;
const AT_ONCE = 128;

/**
 * Block devices as sysfs shows them (Documentation/ABI/testing/sysfs-block). Never opens a device, nor any file of a
 * file system; what is not there, or does not answer, is undefined.
 */
export class BlockDevices {
  readonly #context: EdgeContext;
  readonly #devices = new Map<string, Promise<BlockDevice | undefined>>();
  #names: Promise<readonly string[]> | undefined;

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  byNumber(number: string): Promise<BlockDevice | undefined> {
    let device = this.#devices.get(number);
    if (device === undefined) {
      device = this.#read(number);
      this.#devices.set(number, device);
    }
    return device;
  }

  /** Whether sysfs is there and does not have the device. */
  async isGone(number: string): Promise<boolean> {
    const { files } = this.#context;
    const [device, all] = await Promise.all([
      files.link(`${SYSFS}/dev/block/${number}`),
      files.bytes(`${SYSFS}/dev/block`, 0n, 1),
    ]);
    return 'unread' in device && device.unread === 'gone' && 'unread' in all && all.unread === 'EISDIR';
  }

  /** `sda1`, as a path in /dev has it or sysfs. */
  async byName(name: string): Promise<BlockDevice | undefined> {
    const number = await this.text(`class/block/${inSysfs(name)}/dev`);
    return number === undefined || !/^\d+:\d+$/.test(number) ? undefined : this.byNumber(number);
  }

  async byHint(hint: DeviceHint): Promise<BlockDevice | undefined> {
    if ('number' in hint) return this.byNumber(hint.number);
    for (const name of hint.names) {
      const device = await this.byName(name);
      if (device !== undefined) return device;
    }
    return undefined;
  }

  /** The device of a path in /dev: `/dev/sda1`, `/dev/mapper/data`. */
  async byPath(path: string): Promise<BlockDevice | undefined> {
    const mapped = /^\/dev\/mapper\/([^/]+)$/.exec(path)?.[1];
    if (mapped === undefined) return path.startsWith('/dev/') ? this.byName(path.slice('/dev/'.length)) : undefined;
    const names = (await this.#diskNames()).filter((name) => name.startsWith('dm-'));
    const found = await firstOf(names, async (name) => (await this.attribute(name, 'dm/name')) === mapped);
    return found === undefined ? undefined : this.byName(found);
  }

  /** A file of /sys/block/NAME, without the newline at its end. */
  attribute(name: string, file: string): Promise<string | undefined> {
    return this.text(`class/block/${inSysfs(name)}/${file}`);
  }

  /** The devices that a device of the device mapper or of md lies on, each with the link that says so. */
  async beneath({ name }: BlockDevice): Promise<{ readonly device: BlockDevice; readonly evidence: Evidence }[]> {
    const found: { readonly device: BlockDevice; readonly evidence: Evidence }[] = [];
    // A folder cannot be listed without a risk to hang.
    const names = await this.#diskNames();
    const link = (slave: string) => `class/block/${name}/slaves/${inSysfs(slave)}`;
    const targets = await eachOf(names, async (slave) => this.link(link(slave)));
    for (const [at, slave] of names.entries()) {
      const target = targets[at];
      const device = target === undefined ? undefined : await this.byName(slave);
      if (device !== undefined && target !== undefined)
        found.push({ device, evidence: { place: `${SYSFS}/${link(slave)}`, text: target } });
    }
    return found;
  }

  /** The target of a link of sysfs. */
  async link(path: string): Promise<string | undefined> {
    const read = await this.#context.files.link(`${SYSFS}/${path}`);
    return 'value' in read ? decodeBytes(read.value) : undefined;
  }

  async #read(number: string): Promise<BlockDevice | undefined> {
    const place = `dev/block/${number}`;
    const target = await this.link(place);
    const [disk, name] = target?.split('/').slice(-2) ?? [];
    if (target === undefined || name === undefined) return undefined;
    const isPartition = (await this.text(`${place}/partition`)) !== undefined;
    const evidence = { place: `${SYSFS}/${place}`, text: target };
    return { number, name, disk: isPartition ? disk : undefined, evidence };
  }

  #diskNames(): Promise<readonly string[]> {
    this.#names ??= this.#readNames();
    return this.#names;
  }

  async #readNames(): Promise<readonly string[]> {
    const { files, root, tell } = this.#context;
    const read = await files.bytes(`${root}/diskstats`, 0n, DISKSTATS_BYTES);
    const names = 'value' in read ? parseDiskNames(read.value.toString('latin1')) : [];
    if (names.length > MAX_NAMES) tell(`of ${names.length} block devices only ${MAX_NAMES} were looked at`);
    return names.slice(0, MAX_NAMES);
  }

  /** A file of sysfs, without the newline at its end. */
  async text(path: string): Promise<string | undefined> {
    const read = await this.file(`${SYSFS}/${path}`);
    return 'value' in read ? read.value.replace(/\n$/, '') : undefined;
  }

  async file(path: string): Promise<Reading<string>> {
    const read = await this.#context.files.bytes(path, 0n, ATTRIBUTE_BYTES);
    return 'value' in read ? { value: decodeBytes(read.value) } : read;
  }
}

export function deviceKey({ number }: Pick<BlockDevice, 'number'>): string {
  return `device ${number}`;
}

export function deviceResource(device: BlockDevice): Resource {
  return {
    key: deviceKey(device),
    kind: 'device',
    name: device.name.replaceAll('!', '/'),
    evidence: [device.evidence],
  };
}

/**
 * A name with a slash, such as `cciss/c0d0`, has a `!` there (drivers/base/core.c). Nothing leads out of the folder.
 */
function inSysfs(name: string): string {
  const safe = name.replaceAll('/', '!');
  return safe === '.' || safe === '..' ? '!' : safe;
}

async function eachOf<T>(names: readonly string[], ask: (name: string) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let from = 0; from < names.length; from += AT_ONCE)
    for (const answer of await Promise.all(names.slice(from, from + AT_ONCE).map(ask))) answers.push(answer);
  return answers;
}

async function firstOf(names: readonly string[], is: (name: string) => Promise<boolean>): Promise<string | undefined> {
  const answers = await eachOf(names, is);
  return names[answers.indexOf(true)];
}
