import type { SystemCall } from '../../../model/system-call.ts';
import { AT_FDCWD, int, placesOf, word } from './arguments.ts';
import { nameOfCall, registersOf } from './decode.ts';
import { signatureOf } from './variants.ts';

/** A file that a system call is about: an open one, or one that it looks up. */
export type CallFile =
  | { readonly fd: number }
  /** The address of a path, and the descriptor of the directory that it starts from unless it is absolute. */
  | { readonly path: bigint; readonly from: number | 'cwd' };

/** The files among a call's arguments, in their order; none if the call is not known. */
export function filesOfCall(call: SystemCall, architecture: string): CallFile[] {
  const name = nameOfCall(call, architecture);
  if (name === undefined) return [];
  const registers = registersOf(call, architecture);
  const places = placesOf(signatureOf(name, registers) ?? '', registers.bits);
  return places.flatMap(({ kind, at }, index): CallFile[] => {
    const isBelow = places[index - 1]?.kind === 'dirfd';
    if (kind === 'fd' || (kind === 'dirfd' && places[index + 1]?.kind !== 'path'))
      return int(registers, at) < 0 ? [] : [{ fd: int(registers, at) }];
    if (kind !== 'path') return [];
    const folder = isBelow ? int(registers, at - 1) : AT_FDCWD;
    return [{ path: word(registers, at), from: folder === AT_FDCWD ? 'cwd' : folder }];
  });
}
