import { isPipe } from '../files/input-file.ts';

/** On the command line, the name of standard input. */
export const DASH = '-';

/** Whether what is read of it is gone then: its end cannot be looked up before, and nobody can read it twice. */
export function isReadOnce(name: string): boolean {
  return name === DASH || isPipe(name);
}
