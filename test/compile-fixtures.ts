import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of the compiled fixtures, or why there is none. */
    fixtures: { folder: string } | { missing: string };
  }
}

const SOURCES = [
  'tasks.c',
  'calls.c',
  'command-lines.c',
  'mmap-lock.c',
  'swapped-arguments.c',
  'fuse-argument.c',
  'streams.c',
  'contended-locks.c',
  'user-locks.c',
  'file-locks.c',
  'child-waits.c',
  'watches.c',
];
const SCRIPTS = ['hung-swap.sh', 'stopped-server.sh', 'stuck-loop.sh', 'open-handle.sh', 'full-log.sh'];

/** Compiles the programs of test/fixtures/ once for all tests. */
export default function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'kstack-fixtures-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  for (const source of SOURCES) {
    const arguments_ = [
      '-O1',
      '-Wall',
      '-pthread',
      '-o',
      join(folder, basename(source, '.c')),
      join(import.meta.dirname, 'fixtures', source),
    ];
    try {
      execFileSync('cc', arguments_, { stdio: 'pipe' });
    } catch (error) {
      // A compiler that is there and rejects a fixture is a defect; one that is not there is this machine's affair.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      provide('fixtures', { missing: 'a C compiler (cc)' });
      return remove;
    }
  }
  try {
    const [from, to] = [join(import.meta.dirname, 'fixtures/user-locks.c'), join(folder, 'user-locks-musl')];
    execFileSync('musl-gcc', ['-static', '-O1', '-Wall', '-o', to, from], { stdio: 'pipe' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  for (const script of SCRIPTS) copyFileSync(join(import.meta.dirname, 'fixtures', script), join(folder, script));
  provide('fixtures', { folder });
  return remove;
}
