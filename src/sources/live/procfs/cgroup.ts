import { Malformed } from './malformed.ts';

/** The control groups of a task. */
export interface Cgroups {
  /** The most telling path: of version 2, else of systemd's hierarchy, else the longest. Empty if there is none. */
  readonly main: string;
  /** All paths, without duplicates. */
  readonly paths: readonly string[];
}

/** The file is empty if no hierarchy is mounted. Then there is no control group, not even the root. */
const NONE: Cgroups = { main: '', paths: [] };

/** `ID:CONTROLLERS:PATH`. The kernel forbids newlines in names (kernel/cgroup/cgroup.c, cgroup_mkdir). */
const LINE = /^(\d+):([^:]*):(\/.*)$/;

/**
 * Parses /proc/PID/cgroup (kernel/cgroup/cgroup.c, proc_cgroup_show; cgroups(7)).
 * @throws Malformed naming the line that does not have the documented format
 */
export function parseCgroups(text: string): Cgroups {
  if (text === '') return NONE;
  const byHierarchy = new Map<string, string>();
  for (const [at, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const [matched, id = '', controllers = '', path = ''] = LINE.exec(line) ?? [];
    if (matched === undefined) throw new Malformed(`line ${at + 1}`, line, 'not ID:CONTROLLERS:PATH');
    byHierarchy.set(id === '0' ? 'unified' : controllers, path);
  }
  const paths = [...new Set(byHierarchy.values())];
  if (paths.length === 0) throw new Malformed('line 1', undefined, 'not ID:CONTROLLERS:PATH');
  const telling = [
    byHierarchy.get('unified'),
    byHierarchy.get('name=systemd'),
    ...paths.toSorted((a, b) => b.length - a.length),
  ];
  return { main: telling.find((path) => path !== undefined && path !== '/') ?? '/', paths };
}
