import type { Edge, Resource } from '../../../model/edge.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import { mountKey } from './file-systems.ts';

/** The server of a network file system. */
export interface Server {
  readonly name: string;
  /** Its addresses, where the options of the mount tell them. */
  readonly addresses: string | undefined;
}

/** The host in `host:/path`; an IPv6 address may stand in brackets. */
const NFS_HOST = /^(\[[^\]]+\]|[^:]+):/;
/** The host in `//host/share`. */
const CIFS_HOST = /^[\\/]{2}([^\\/]+)[\\/]/;

/** Who serves a network file system, as mountinfo has it; undefined for others, and for sources of another form. */
export function serverOf({ type, source, options }: Mount): Server | undefined {
  const name = nameOf(type, source, options);
  const addresses = options.get('addr') ?? options.get('mon_addr');
  return name === undefined || name === '' ? undefined : { name, addresses };
}

function nameOf(type: string, source: string, options: Mount['options']): string | undefined {
  switch (type) {
    case 'nfs':
    case 'nfs4':
      return NFS_HOST.exec(source)?.[1] ?? options.get('addr');
    case 'cifs':
    case 'smb3':
      return CIFS_HOST.exec(source)?.[1] ?? options.get('addr');
    case 'ceph':
      // Monitors, or `user@fsid.name=/path`, whose monitors are in the options (fs/ceph/super.c).
      return source.includes('=') ? options.get('mon_addr') : source.split(':/', 1)[0];
    case '9p':
      return options.get('trans') === 'tcp' ? source : `9p ${source} of the host of this virtual machine`;
    case 'virtiofs':
      return `virtiofs ${source} of the host of this virtual machine`;
    case 'afs':
      // `#cell:volume` (fs/afs/super.c).
      return /^[#%]([^:]+):/.exec(source)?.[1];
    default:
      return undefined;
  }
}

/** The edge to a mount's server; undefined if it has none. */
export function edgeToServer(mount: Mount): { readonly edge: Edge; readonly resource: Resource } | undefined {
  const server = serverOf(mount);
  if (server === undefined) return undefined;
  const { name, addresses } = server;
  const at = addresses === undefined ? '' : `, addr=${addresses}`;
  const evidence = [{ place: '/proc/PID/mountinfo', text: `${mount.type} from ${mount.source}${at}` }];
  const key = `server ${name}`;
  return {
    edge: { from: mountKey(mount.device), to: key, by: 'server', evidence },
    resource: { key, kind: 'server', name, evidence },
  };
}
