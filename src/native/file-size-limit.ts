import { libcFunction } from './libc.ts';

/** RLIMIT_FSIZE of include/uapi/asm-generic/resource.h. */
const FSIZE = 1;

/** The limits of setrlimit(2) on the size of files, in bytes; Infinity for none. */
export function fileSizeLimit(): { readonly soft: number; readonly hard: number } {
  const limits = new BigUint64Array(2);
  libcFunction('int getrlimit(int resource, void *limits)')(FSIZE, limits);
  const [soft = 0, hard = 0] = Array.from(limits, (limit) =>
    limit === NONE ? Number.POSITIVE_INFINITY : Number(limit),
  );
  return { soft, hard };
}

/** Infinity for no limit. */
export function setFileSizeLimit(soft: number, hard: number): void {
  const limits = BigUint64Array.from([soft, hard], (limit) => (Number.isFinite(limit) ? BigInt(limit) : NONE));
  libcFunction('int setrlimit(int resource, const void *limits)')(FSIZE, limits);
}

const NONE = 2n ** 64n - 1n;

/** The limit, for the message about a file that must not grow (EFBIG); undefined if there is none. */
export function describeFileSizeLimit(): string | undefined {
  const { soft } = fileSizeLimit();
  return Number.isFinite(soft) ? `no file may be larger than ${soft} bytes here: raise ulimit -f` : undefined;
}
