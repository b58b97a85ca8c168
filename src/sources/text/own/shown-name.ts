/** The name of a task that kstack shows: an empty one, which nobody would see, is `''`. */
export function nameShownAs(shown: string): string {
  return shown === "''" ? '' : shown;
}
