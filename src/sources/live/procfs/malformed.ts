/** A file in /proc does not have the documented format. `message` names the item and its content. */
export class Malformed extends Error {
  constructor(item: string, found: string | undefined, wanted: string) {
    super(
      `${item}: ${found === undefined ? 'missing' : `${JSON.stringify(found.slice(0, LONGEST_SHOWN))} is ${wanted}`}`,
    );
  }
}

const LONGEST_SHOWN = 40;

/** What was parsed; undefined if the file does not have the documented format. */
export function unlessMalformed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
