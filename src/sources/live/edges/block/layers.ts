import type { Edge, Resource } from '../../../../model/edge.ts';
import { type Mount, normalPath } from '../../procfs/mountinfo.ts';
import type { EdgeContext, FoundEdges } from '../edge-source.ts';
import { mountKey, mountResource } from '../file-systems.ts';
import { type BlockDevice, type BlockDevices, deviceKey, deviceResource } from './block-devices.ts';

/** Devices that are made of others, each in a folder `slaves`. */
const STACKED = /^(?:dm-|md|bcache)/;

const NOTHING: FoundEdges = { edges: [], resources: [] };

/** What a device lies on: a disk, other devices, a file. A suspended one waits for none of these. */
export async function beneathDevice(from: string, devices: BlockDevices, context: EdgeContext): Promise<FoundEdges> {
  const device = await devices.byNumber(from.slice('device '.length));
  if (device === undefined) return NOTHING;
  if (device.disk !== undefined) {
    const disk = await devices.byName(device.disk);
    return disk === undefined ? NOTHING : to(disk, { from, by: 'beneath', evidence: [device.evidence] });
  }
  if (device.name.startsWith('loop')) return beneathLoop(from, device.name, { by: 'backing-file' }, devices, context);
  if (!STACKED.test(device.name)) return NOTHING;
  if (device.name.startsWith('dm-') && (await devices.attribute(device.name, SUSPENDED)) === '1') {
    const evidence = [{ place: `/sys/class/block/${device.name}/${SUSPENDED}`, text: '1' }];
    return {
      edges: [],
      resources: [{ ...deviceResource(device), condition: 'is suspended', hangs: true, evidence }],
    };
  }
  const slaves = await devices.beneath(device);
  return joined(slaves.map((slave) => to(slave.device, { from, by: 'beneath', evidence: [slave.evidence] })));
}

const SUSPENDED = 'dm/suspended';

/** The file system that the file of a loop device lies on. Its path may have come to lead elsewhere. */
export async function beneathLoop(
  from: Edge['from'],
  name: string,
  { by }: Pick<Edge, 'by'>,
  devices: BlockDevices,
  { fileSystems }: EdgeContext,
): Promise<FoundEdges> {
  const text = await devices.attribute(name, 'loop/backing_file');
  if (text === undefined || !text.startsWith('/')) return NOTHING;
  const own = await fileSystems.own();
  const mount = own?.at(normalPath(text));
  if (mount === undefined) return NOTHING;
  const evidence = [{ place: `/sys/class/block/${name}/loop/backing_file`, text }];
  const found = toMount(mount, { from, by, inferred: true, evidence });
  // A file that is written to lies in the upper directory.
  const folder = mount.type === 'overlay' ? mount.options.get('upperdir') : undefined;
  const upper = folder === undefined ? undefined : own?.at(normalPath(folder));
  if (folder === undefined || upper === undefined || upper.device === mount.device) return found;
  const layer = [{ place: '/proc/PID/mountinfo', text: `${mount.point} has a layer in ${folder}` }];
  const way = { from: mountKey(mount.device), by: 'beneath', inferred: true, evidence: layer } as const;
  return joined([found, toMount(upper, way)]);
}

/** The device that a file system lies on, if it is one. */
export async function beneathMount(from: string, mount: Mount, devices: BlockDevices): Promise<FoundEdges> {
  // What a FUSE daemon does with a device is the daemon's affair.
  if (mount.type.startsWith('fuse')) return NOTHING;
  const evidence = [{ place: '/proc/PID/mountinfo', text: `${mount.device} ${mount.type} from ${mount.source}` }];
  if (mount.device.startsWith('0:')) {
    const device = await devices.byPath(mount.source);
    // It may lie on others besides (btrfs).
    return device === undefined ? NOTHING : to(device, { from, by: 'device', inferred: true, evidence });
  }
  const device = await devices.byNumber(mount.device);
  if (device !== undefined) return to(device, { from, by: 'device', evidence });
  return (await devices.isGone(mount.device)) ? toLost(mount, { from, by: 'device', evidence }) : NOTHING;
}

type Way = Omit<Edge, 'to'>;

function to(device: BlockDevice, way: Way): FoundEdges {
  return { edges: [{ ...way, to: deviceKey(device) }], resources: [deviceResource(device)] };
}

/** A disk that was pulled, or that the kernel gave up, while its file system is mounted. */
function toLost({ device, source }: Mount, way: Way): FoundEdges {
  const key = deviceKey({ number: device });
  const evidence = [{ place: `/sys/dev/block/${device}`, text: 'does not exist' }];
  const resource: Resource = {
    key,
    kind: 'device',
    name: source.replace(/^\/dev\//, ''),
    condition: 'is gone',
    evidence,
  };
  return { edges: [{ ...way, to: key }], resources: [resource] };
}

function toMount(mount: Mount, way: Way): FoundEdges {
  return { edges: [{ ...way, to: mountKey(mount.device) }], resources: [mountResource(mount)] };
}

export function joined(found: readonly FoundEdges[]): FoundEdges {
  return { edges: found.flatMap(({ edges }) => edges), resources: found.flatMap(({ resources }) => resources) };
}
