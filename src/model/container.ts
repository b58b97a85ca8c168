/** What the path of a control group tells about a container. */
export interface Container {
  /** The runtime, if known: docker, libpod (podman), crio, cri-containerd, lxc, machine (systemd-machined) ... */
  readonly runtime?: string;
  /** 64 hexadecimal digits; for lxc and systemd-machined, the container's name. */
  readonly id?: string;
  /** The uid of the Kubernetes pod. */
  readonly pod?: string;
}

/** `docker-ID.scope` with the systemd driver, a bare `ID` with the cgroupfs driver. */
const BY_ID = /^(?:([a-z][a-z-]*)-)?([0-9a-f]{64})(?:\.scope)?$/;
const LXC = /^lxc\.payload\.(.+)$/;
const MACHINE = /^(?:machine-(.+)\.scope|systemd-nspawn@(.+)\.service)$/;
/** systemd names have `_` for `-`. A static pod, defined by a file on the node, has a hash as its uid. */
const POD = /^(?:kubepods[a-z-]*-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;

/**
 * The innermost container that a control group belongs to, by the naming schemes of the runtimes (the cgroupfs and
 * systemd drivers of runc and crun, kubelet's cgroup manager, lxc, systemd-machined). Undefined if there is none.
 */
export function containerOf(cgroup: string): Container | undefined {
  const parts = cgroup.split('/');
  const pod = parts.map((part) => POD.exec(part)?.[1]?.replaceAll('_', '-')).findLast((uid) => uid !== undefined);
  for (let at = parts.length - 1; at >= 0; at--) {
    const container = containerNamed(parts[at] ?? '', parts[at - 1] ?? '');
    if (container !== undefined) return pod === undefined ? container : { ...container, pod };
  }
  return pod === undefined ? undefined : { pod };
}

function containerNamed(name: string, parent: string): Container | undefined {
  const [, prefix, id] = BY_ID.exec(name) ?? [];
  // conmon is a container's monitor, which runs outside of it.
  if (id !== undefined && prefix?.endsWith('conmon') !== true) {
    const runtime = prefix ?? (parent === 'docker' ? parent : parent.startsWith('libpod') ? 'libpod' : undefined);
    return runtime === undefined ? { id } : { runtime, id };
  }
  const lxc = LXC.exec(name)?.[1] ?? (parent === 'lxc' && name !== '' ? name : undefined);
  if (lxc !== undefined) return { runtime: 'lxc', id: lxc };
  const [, machine, nspawn] = MACHINE.exec(name) ?? [];
  const escaped = machine ?? nspawn;
  if (escaped === undefined) return undefined;
  return {
    runtime: 'machine',
    id: escaped.replaceAll(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
  };
}

/** For people: `docker 0123456789ab`, preceded by its pod. Ids are cut to the twelve digits that runtimes show. */
export function describeContainer({ runtime, id, pod }: Container): string {
  const name = id === undefined ? [] : [runtime ?? 'container', /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id];
  return [...(pod === undefined ? [] : ['pod', pod]), ...name].join(' ');
}
