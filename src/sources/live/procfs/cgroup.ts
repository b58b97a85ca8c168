import { Malformed } from './malformed.ts';

/** Where a task stands in the hierarchies of control groups. */
export interface Cgroups {
  /**
   * The path that says most: that of version 2, else that of systemd's hierarchy, else the longest; empty where there
   * is none.
   */
  readonly main: string;
  /** All of its paths, each once. */
  readonly paths: readonly string[];
}

/** The file is empty where no hierarchy is mounted: then there are no control groups, not even a root. */
const NONE: Cgroups = { main: '', paths: [] };

/** `ID:CONTROLLERS:PATH`; the kernel lets no name have a newline (kernel/cgroup/cgroup.c, cgroup_mkdir). */
const LINE = /^(\d+):([^:]*):(\/.*)$/;

/**
 * Parses /proc/PID/cgroup (kernel/cgroup/cgroup.c, proc_cgroup_show; cgroups(7)).
 * @throws Malformed naming the line that is not as documented
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
