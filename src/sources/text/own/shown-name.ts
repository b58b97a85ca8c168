import { EMPTY_NAME } from '../../../model/empty-name.ts';

/** The name of a task that kstack shows. */
export function nameShownAs(shown: string): string {
  return shown === EMPTY_NAME ? '' : shown;
}
