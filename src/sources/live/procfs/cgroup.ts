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
 * Parses /proc/PID/cgroup (kernel/cgroup/cgroup.c, proc_cgroup_show; cgroups(7)). Undefined when it is not in that
 * form.
 */
export function parseCgroups(text: string): Cgroups | undefined {
  if (text === '') return NONE;
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => LINE.exec(line));
  const byHierarchy = new Map<string, string>();
  for (const line of lines) {
    if (line === null) return undefined;
    const [, id = '', controllers = '', path = ''] = line;
    byHierarchy.set(id === '0' ? 'unified' : controllers, path);
  }
  const paths = [...new Set(byHierarchy.values())];
  const telling = [
    byHierarchy.get('unified'),
    byHierarchy.get('name=systemd'),
    ...paths.toSorted((a, b) => b.length - a.length),
  ];
  return paths.length === 0
    ? undefined
    : { main: telling.find((path) => path !== undefined && path !== '/') ?? '/', paths };
}
