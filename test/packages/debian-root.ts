import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, run } from '../harness.ts';
import { mirrors } from '../kernels/debian.mjs';

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** A root directory with the least that is Debian, of this machine's release and from its mirror. */
export class DebianRoot {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Takes about 30 s of CPU time. @throws Error with the end of what debootstrap said */
  static async make(folder: string): Promise<DebianRoot> {
    const [, suite = ''] = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? [];
    const made = await run('debootstrap', ['--variant=minbase', suite, folder, mirrors().releases], {
      env: { ...process.env, ...(await proxyOfApt()), PATH },
    });
    if (made.code !== 0) throw new Error(`debootstrap: ${made.stdout.slice(-1000)}${made.stderr.slice(-1000)}`);
    return new DebianRoot(folder);
  }

  /** Runs a command in it, with a /proc. */
  run(command: string, ...args: readonly string[]): Promise<Ended> {
    return this.#enter([], command, args);
  }

  /** The same in a PID namespace of its own, with a /proc of that, as a container without the host's PIDs. */
  runApart(command: string, ...args: readonly string[]): Promise<Ended> {
    return this.#enter(['--pid', '--fork', '--kill-child'], command, args);
  }

  #enter(apart: readonly string[], command: string, args: readonly string[]): Promise<Ended> {
    const entered = 'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"';
    const options = ['--mount', '--propagation', 'private', ...apart, 'sh', '-c', entered];
    return run('unshare', [...options, this.folder, command, ...args], { env: { PATH, LC_ALL: 'C.UTF-8' } });
  }

  path(path: string): string {
    return join(this.folder, path);
  }
}

/** debootstrap takes its proxy from the environment, and apt has its own settings. */
async function proxyOfApt(): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await run('apt-config', ['shell', 'proxy', 'Acquire::http::Proxy']);
  const [, proxy] = /^proxy='(.+)'$/m.exec(stdout) ?? [];
  return proxy === undefined ? {} : { http_proxy: proxy };
}
