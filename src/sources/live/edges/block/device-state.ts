import type { Evidence } from '../../../../model/edge.ts';
import type { BlockDevices } from './block-devices.ts';

export interface DeviceState {
  /** As a sentence without its subject. */
  readonly condition: string;
  readonly evidence: Evidence;
}

/** States of a SCSI disk (drivers/scsi/scsi_sysfs.c) and of an NVMe controller (drivers/nvme/host/sysfs.c) in order. */
const HEALTHY = new Set(['running', 'live']);
/** States of an array (Documentation/admin-guide/md.rst) in which it takes requests. */
const ARRAY_WORKS = new Set(['clean', 'active', 'active-idle', 'read-auto', 'write-pending']);
const AT_REST = new Set(['idle', 'none']);

/** What the driver of a device says that is unusual about it: a disk that is blocked, an array that rebuilds. */
export async function statesOf(name: string, devices: BlockDevices): Promise<DeviceState[]> {
  const at = (file: string) => `/sys/class/block/${name}/${file}`;
  if (name.startsWith('md')) return arrayStates(name, devices, at);
  const file = 'device/state';
  const state = await devices.attribute(name, file);
  if (state === undefined) return [];
  const states: DeviceState[] = [];
  if (!HEALTHY.has(state))
    states.push({ condition: `is in the state "${state}"`, evidence: { place: at(file), text: state } });
  const address = (await devices.link(`class/block/${name}/device`))?.split('/').at(-1);
  const host = address === undefined ? undefined : /^(\d+):\d+:\d+:\d+$/.exec(address)?.[1];
  if (host === undefined) return states;
  const place = `class/scsi_host/host${host}/state`;
  const hostState = await devices.text(place);
  if (hostState !== undefined && hostState !== 'running')
    states.push({
      condition: `has its SCSI host ${host} in the state "${hostState}"`,
      evidence: { place: `/sys/${place}`, text: hostState },
    });
  return states;
}

async function arrayStates(name: string, devices: BlockDevices, at: (file: string) => string): Promise<DeviceState[]> {
  const [array, action, degraded] = await Promise.all(
    ['md/array_state', 'md/sync_action', 'md/degraded'].map((file) => devices.attribute(name, file)),
  );
  const states: DeviceState[] = [];
  if (array !== undefined && !ARRAY_WORKS.has(array))
    states.push({ condition: `is in the state "${array}"`, evidence: { place: at('md/array_state'), text: array } });
  if (degraded !== undefined && degraded !== '0')
    states.push({
      condition: `lacks ${degraded} of its devices`,
      evidence: { place: at('md/degraded'), text: degraded },
    });
  if (action !== undefined && !AT_REST.has(action))
    states.push({
      condition: `does a "${action}" (sync_action)`,
      evidence: { place: at('md/sync_action'), text: action },
    });
  return states;
}
