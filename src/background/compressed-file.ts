import { constants } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Files } from '../files/files.ts';
import type { LogDirectory } from './log-directory.ts';

const CHUNK_BYTES = 1 << 16;

/** Compression was abandoned because the run is ending. */
export class Interrupted extends Error {}

/**
 * Compresses a file into FILE.gz by way of FILE.gz.tmp. Even after a crash, FILE.gz is either complete or missing.
 * @throws Interrupted, or the error of a failed call; the temporary file is removed
 */
export async function compressFile(directory: LogDirectory, file: string, interrupt: AbortSignal): Promise<void> {
  const { files, fd: folder } = directory;
  const target = `${file}.gz`;
  const temporary = `${target}.tmp`;
  const from = await directory.open(file, constants.O_RDONLY);
  try {
    const to = await directory.open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      await pipeline(chunksOf(files, from.fd, interrupt), createGzip(), async (compressed: AsyncIterable<Buffer>) => {
        for await (const chunk of compressed) await files.append(to.fd, chunk);
      });
      await files.sync(to.fd);
    } catch (error) {
      await files.unlink(folder, temporary);
      throw error;
    } finally {
      await files.close(to.fd);
    }
  } finally {
    await files.close(from.fd);
  }
  await files.rename(folder, temporary, target);
  await files.sync(folder);
}

async function* chunksOf(files: Files, fd: number, interrupt: AbortSignal): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    if (interrupt.aborted) throw new Interrupted();
    const chunk = await files.read(fd, position, CHUNK_BYTES);
    if (chunk.length === 0) return;
    position += chunk.length;
    yield chunk;
  }
}
