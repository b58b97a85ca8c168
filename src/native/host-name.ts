import { hostname } from 'node:os';
import { escapeInvalid } from '../model/raw-text.ts';
import { decodeBytes } from './decode.ts';
import { libcFunction } from './libc.ts';

/** include/uapi/linux/utsname.h: 64 bytes and a NUL. */
const NAME_BYTES = 65;
/** What node:os puts in the place of bytes that are not UTF-8. */
const LOST = '\ufffd';

/** The name of this host. A byte that is not UTF-8 is `\xff`, so that two such names stay different. */
export function hostName(): string {
  const name = hostname();
  if (!name.includes(LOST)) return name;
  const bytes = Buffer.alloc(NAME_BYTES);
  if (libcFunction('int gethostname(void *name, size_t bytes)')(bytes, bytes.length) !== 0) return name;
  return escapeInvalid(decodeBytes(bytes.subarray(0, bytes.indexOf(0))));
}
