import type { Mount } from '../procfs/mountinfo.ts';

/**
 * The directories that an overlay file system lies on (fs/overlayfs/params.c, ovl_show_options), as they were given
 * when it was mounted. Those that do not start from the root directory are left out: from where they start is not
 * known.
 */
export function layersOf({ type, options }: Mount): string[] {
  if (type !== 'overlay') return [];
  // A colon parts lower directories, two part those with nothing but data; a backslash keeps it in a name.
  const lower = (options.get('lowerdir') ?? '').match(/(?:\\.|[^:\\])+/gs) ?? [];
  const single = ['lowerdir+', 'datadir+', 'upperdir', 'workdir'].flatMap((name) => options.get(name) ?? []);
  return [...lower.map((path) => path.replaceAll(/\\(.)/gs, '$1')), ...single].filter((path) => path.startsWith('/'));
}
