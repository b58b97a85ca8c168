import picomatch from 'picomatch';
import { containerOf } from '../../../model/container.ts';

/**
 * The matcher for --cgroup. A pattern with a slash is a path from the root; `*` matches within a name, `**` across
 * names. A pattern without one is the name of any part of the path (`nginx.service`, `user-*.slice`), or the beginning
 * of a container's id or a pod's uid. A match includes all groups below it.
 */
export function cgroupPattern(text: string): (path: string) => boolean {
  // kubectl shows ids as containerd://0123...
  const wanted = text.replace(/^[a-z][a-z-]*:\/\//, '').replace(/(?<=.)\/+$/, '');
  const glob = picomatch(wanted, { dot: true });
  // Compare literally too: names made by systemd contain backslashes.
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
