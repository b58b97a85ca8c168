// One boot of a kernel under qemu, without KVM. What the guest has to say comes over its serial console.
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Longest time for a boot and all that is done in it: four times what it takes on two idle CPUs. */
const LONGEST_MS = 600_000;

/** From where a kernel says why it gave up, and how much of that is shown. */
const COMPLAINT = /^.*?(?:BUG:|Oops:|WARNING:|general protection fault|Unable to handle|Kernel panic)/m;
const COMPLAINT_LINES = 60;

/** The guest's kernel gave up. */
export class Panicked extends Error {}

/**
 * Boots and waits for the end. Resolves to the guest's files by name (Buffers), how many seconds passed until its first
 * process ran, and how many in all; rejects with what the kernel complained of, or the last lines of the console, when
 * the guest did not get to its end in time: with a Panicked when its kernel gave up. In any case qemu is gone then.
 */
export async function boot({ architecture, kernel, image, folder }) {
  const started = performance.now();
  const { command, args, console } = architecture.qemu;
  const append = `console=${console} quiet panic=-1 mitigations=off rdinit=/init`;
  const bare = ['-nodefaults', '-no-user-config', '-display', 'none', '-monitor', 'none', '-nic', 'none', '-no-reboot'];
  const guest = ['-smp', '2', '-m', '1024', '-serial', 'stdio'];
  const linux = ['-kernel', kernel.image, '-initrd', image, '-append', append];
  const qemu = spawn(command, [...args, ...bare, ...guest, ...linux], { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => qemu.kill('SIGKILL');
  process.on('exit', kill);
  const timer = setTimeout(kill, LONGEST_MS);
  const secondsSoFar = () => (performance.now() - started) / 1000;
  let text = '';
  let seen = 0;
  let bootSeconds;
  const take = (bytes) => {
    text += bytes.toString('latin1');
    for (let end = text.indexOf('\n', seen); end >= 0; end = text.indexOf('\n', seen)) {
      const line = text.slice(seen, end).trim();
      seen = end + 1;
      if (line.startsWith('@step ')) bootSeconds ??= secondsSoFar();
      if (line === '@end') kill();
    }
  };
  qemu.stdout.on('data', take);
  qemu.stderr.on('data', take);
  try {
    await new Promise((done, failed) => {
      qemu.on('error', failed);
      qemu.on('close', done);
    });
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
  }
  const results = /^@results\r?$([^@]*)^@end\r?$/m.exec(text)?.[1];
  if (results === undefined) {
    const Failure = text.includes('Kernel panic') ? Panicked : Error;
    throw new Failure(`the guest did not get to its end:\n${lastWords(text)}`);
  }
  await mkdir(folder, { recursive: true });
  execFileSync('tar', ['-xz', '-C', folder], { input: Buffer.from(results, 'base64') });
  const files = new Map();
  for (const name of await readdir(folder)) files.set(name, await readFile(join(folder, name)));
  return { files, bootSeconds, seconds: secondsSoFar() };
}

function lastWords(text) {
  const complaint = text
    .slice(COMPLAINT.exec(text)?.index ?? text.length)
    .split('\n')
    .slice(0, COMPLAINT_LINES);
  return (complaint.length > 1 ? complaint : text.split('\n').slice(-15)).join('\n');
}
