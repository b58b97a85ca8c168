// Tries kstack on kernels of Debian, each booted under qemu without KVM, with nothing in it but busybox, the
// executable, the libraries that it wants, and the fixtures.
//   npm run test:kernels [-- NAME...]       NAME: 5.10, 6.1, 6.1-rt, 6.12, 6.12-arm64
// Prints what ran, what was skipped and why, and last a line 'N passed, N failed, N skipped'. With CI=true, a kernel
// that cannot be had is a failure.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { checksOf } from './checks.mjs';
import { fetchBusybox, fetchKernel } from './debian.mjs';
import { addModules, makeImage } from './guest-image.mjs';
import { boot, Panicked } from './qemu.mjs';
import { recordsOf } from './records.mjs';

const x64 = {
  name: 'x64',
  debian: 'amd64',
  compiler: 'cc',
  libraryFolders: ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/usr/lib64'],
  loader: 'ld-linux-x86-64.so.2',
  qemu: { command: 'qemu-system-x86_64', args: ['-cpu', 'max', '-accel', 'tcg,thread=multi'], console: 'ttyS0' },
};
const arm64 = {
  name: 'arm64',
  debian: 'arm64',
  compiler: 'aarch64-linux-gnu-gcc',
  libraryFolders: ['/usr/aarch64-linux-gnu/lib'],
  loader: 'ld-linux-aarch64.so.1',
  qemu: {
    command: 'qemu-system-aarch64',
    // The pointer authentication of the architecture takes half of the time, when emulated.
    args: ['-M', 'virt', '-cpu', 'max,pauth-impdef=on', '-accel', 'tcg,thread=multi'],
    console: 'ttyAMA0',
  },
};

/** `bpf`: whether the kernel has what the source needs; see docs/sources.md. */
const GUESTS = [
  { name: '5.10', suite: 'bullseye', meta: 'linux-image-cloud-amd64', architecture: x64, bpf: false },
  { name: '6.1', suite: 'bookworm', meta: 'linux-image-cloud-amd64', architecture: x64, bpf: true },
  { name: '6.1-rt', suite: 'bookworm', meta: 'linux-image-rt-amd64', architecture: x64, bpf: true },
  { name: '6.12', suite: 'trixie', meta: 'linux-image-cloud-amd64', architecture: x64, bpf: true },
  { name: '6.12-arm64', suite: 'trixie', meta: 'linux-image-cloud-arm64', architecture: arm64, bpf: true },
];

const TOOLS = ['apt-get', 'dpkg-deb', 'tar', 'xz', 'cpio', 'busybox', 'mke2fs', 'truncate', 'readelf', 'bash'];
/** Two guests keep the CPUs of a small machine busy. With three, all end at the same time, and each takes longer. */
const AT_ONCE = 2;

const cache = resolve(import.meta.dirname, '../../node_modules/.cache/kstack-kernels');
const counts = { passed: 0, failed: 0, skipped: 0 };
const folder = await mkdtemp(join(tmpdir(), 'kstack-kernels-'));
process.env['PATH'] += ':/usr/sbin:/sbin';
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
await mkdir(cache, { recursive: true });
const asked = process.argv.slice(2);
const guests = GUESTS.filter(({ name }) => asked.length === 0 || asked.includes(name));
if (guests.length < asked.length) throw new Error(`the guests are ${GUESTS.map(({ name }) => name).join(', ')}`);
await runAll(guests);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;

/**
 * What it takes to boot each guest, in turn, as apt locks its lists; undefined for one that cannot be. The first ones
 * boot while others are being fetched.
 */
function prepareAll(guests) {
  const bases = new Map();
  const prepare = async (guest) => {
    const { name, architecture } = guest;
    try {
      requireTools(...TOOLS, architecture.compiler, architecture.qemu.command);
      const kernel = await fetchKernel(cache, { ...guest, architecture: architecture.debian });
      if (!bases.has(architecture)) bases.set(architecture, await makeBase(architecture));
      const image = await addModules(bases.get(architecture), { folder, name, kernel });
      return { ...guest, kernel, image };
    } catch (error) {
      unavailable(guest, error.message);
      return undefined;
    }
  };
  let last = Promise.resolve();
  return guests.map((guest) => {
    last = last.then(() => prepare(guest));
    return last;
  });
}

/** What all guests of an architecture share: the path of an initramfs without modules. */
async function makeBase(architecture) {
  const native = architecture.debian === hostArchitecture();
  const busybox = native ? onPath('busybox') : await fetchBusybox(cache, architecture.debian);
  const { file, libraries } = await makeImage({ folder: join(folder, architecture.name), architecture, busybox });
  const others = libraries.length === 0 ? 'glibc' : `glibc, ${libraries.join(', ')}`;
  console.log(`${architecture.name}: the guests have the executable, ${others}, busybox and the fixtures`);
  return file;
}

function hostArchitecture() {
  return execFileSync('dpkg', ['--print-architecture']).toString().trim();
}

function onPath(name) {
  return execFileSync('sh', ['-c', 'command -v "$0"', name]).toString().trim();
}

function requireTools(...names) {
  const missing = names.filter((name) => {
    try {
      return onPath(name) === '';
    } catch {
      return true;
    }
  });
  if (missing.length > 0) throw new Error(`needs ${missing.join(', ')}`);
}

/** A kernel that cannot be had: skipped with the reason, and under CI a failure. */
function unavailable({ name }, reason) {
  const failed = process.env['CI'] === 'true';
  counts[failed ? 'failed' : 'skipped']++;
  console.log(`\nLinux ${name}: ${failed ? 'FAILED' : 'skipped'}: ${reason}`);
}

/** The slowest, which stand last, go first, so that no CPU is idle at the end. */
async function runAll(guests) {
  const waiting = prepareAll(guests.toReversed());
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const guest = await next;
      if (guest !== undefined) await runOne(guest);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/**
 * One boot in about 150 ends in a panic of the idle loop, as emulated CPUs are no real ones. That is said, and the guest
 * is booted once more: a panic that kstack brings about comes again.
 */
async function bootTwice({ name, architecture, kernel, image }) {
  const once = () => boot({ architecture, kernel, image, folder: join(folder, `results-${name}`) });
  try {
    return await once();
  } catch (error) {
    if (!(error instanceof Panicked)) throw error;
    console.log(`\nLinux ${name}: panicked, and is booted again: ${error.message}`);
    return once();
  }
}

async function runOne(guest) {
  const { name, suite, architecture, kernel } = guest;
  let results;
  try {
    results = await bootTwice(guest);
  } catch (error) {
    counts.failed++;
    console.log(`\nLinux ${name}: FAILED: ${error.message}`);
    return;
  }
  const took = `booted in ${results.bootSeconds.toFixed(0)} s, ended after ${results.seconds.toFixed(0)} s`;
  const lines = [`\nLinux ${kernel.release} (Debian ${suite}, ${architecture.name}), ${took}`];
  const records = recordsOf(results.files, { ...kernel, architecture: architecture.name });
  for (const { name: what, check, skipped } of checksOf(guest)) {
    const reason = skipped ?? failureOf(check, records);
    const outcome = skipped !== undefined ? 'skipped' : reason === undefined ? 'passed' : 'failed';
    counts[outcome]++;
    lines.push(`  ${outcome.padEnd(8)}${what}${reason === undefined ? '' : `: ${reason}`}`);
  }
  console.log(lines.join('\n'));
}

function failureOf(check, records) {
  try {
    check(records);
    return undefined;
  } catch (error) {
    return error.message.trimEnd().replaceAll('\n', '\n          ');
  }
}
