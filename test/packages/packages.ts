import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildPackages, sourceEpoch } from '../../packaging/build.mjs';

export const VERSION: string = JSON.parse(readFileSync('package.json', 'utf8')).version;

export type Kind = 'deb' | 'rpm';
export type Architecture = 'x64' | 'arm64';

const NAMES: Readonly<Record<Kind, Readonly<Record<Architecture, string>>>> = {
  deb: { x64: `kstack_${VERSION}_amd64.deb`, arm64: `kstack_${VERSION}_arm64.deb` },
  rpm: { x64: `kstack-${VERSION}-1.x86_64.rpm`, arm64: `kstack-${VERSION}-1.aarch64.rpm` },
};

/** Of this machine. */
export const ARCHITECTURE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x64';

/** A package that npm run build:packages has made. */
export function builtPackage(kind: Kind, arch: Architecture = ARCHITECTURE): string {
  const path = resolve('dist/packages', NAMES[kind][arch]);
  if (!existsSync(path)) throw new Error(`no ${path}: run npm run build:packages first`);
  return path;
}

/** Builds packages for this machine again, with that version. */
export async function rebuilt(folder: string, version: string): Promise<Readonly<Record<Kind, string>>> {
  const into = join(folder, version);
  mkdirSync(into);
  const [deb = '', rpm = ''] = await buildPackages({ arch: ARCHITECTURE, version, epoch: sourceEpoch(), into });
  return { deb, rpm };
}
