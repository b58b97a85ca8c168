import picomatch from 'picomatch';
import { containerOf } from '../../../model/container.ts';

/**
 * What --cgroup takes. A pattern with a slash names a path from the root, `*` within a name and `**` across them; one
 * without names any part of the path (`nginx.service`, `user-*.slice`), or begins the id of a container or the uid of a
 * pod. Whatever matches takes all that is below it along.
 */
export function cgroupPattern(text: string): (path: string) => boolean {
  // kubectl shows ids as containerd://0123...
  const wanted = text.replace(/^[a-z][a-z-]*:\/\//, '').replace(/(?<=.)\/+$/, '');
  const glob = picomatch(wanted, { dot: true });
  // As it is, too: systemd's names have backslashes.
  const matches = (name: string) => name === wanted || glob(name);
  if (wanted.includes('/')) {
    return (path) => {
      for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
        if (matches(path.slice(0, end))) return true;
      return wanted === '/';
    };
  }
  return (path) => {
    if (path.split('/').some((name) => matches(name))) return true;
    const { id, pod } = containerOf(path) ?? {};
    return id?.startsWith(wanted) === true || pod?.startsWith(wanted.replaceAll('_', '-')) === true;
  };
}
