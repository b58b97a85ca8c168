/** A file of /proc that is not in the form the kernel documents. `message` says which item of it, and what it holds. */
export class Malformed extends Error {
  constructor(item: string, found: string | undefined, wanted: string) {
    super(
      `${item}: ${found === undefined ? 'missing' : `${JSON.stringify(found.slice(0, LONGEST_SHOWN))} is ${wanted}`}`,
    );
  }
}

const LONGEST_SHOWN = 40;
