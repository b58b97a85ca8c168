import type { FileSizeLimit } from './file-size-limit.ts';
import { libcFunction } from './libc.ts';

/** RLIMIT_FSIZE and RLIM64_INFINITY of include/uapi/linux/resource.h. */
const FSIZE = 1;
const UNLIMITED = 2n ** 64n - 1n;

/** Sets the limits of this process. */
export function setFileSizeLimit({ soft, hard }: FileSizeLimit): void {
  const limits = BigUint64Array.from([soft, hard], (limit) => (Number.isFinite(limit) ? BigInt(limit) : UNLIMITED));
  libcFunction('int setrlimit(int resource, const void *limits)')(FSIZE, limits);
}
