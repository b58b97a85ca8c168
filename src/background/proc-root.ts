import { codeOf, NoAnswer } from '../files/files.ts';
import { withFiles } from '../files/remote.ts';

const HERE = '/proc';

/** Why the file system at `root` does not answer. Undefined if it answers, even with an error. */
export async function whyNotProc(root: string): Promise<string | undefined> {
  if (root === HERE) return undefined;
  return withFiles(async (files) => {
    try {
      await files.spaceAt(root);
    } catch (error) {
      if (error instanceof NoAnswer) return error.message;
      if (codeOf(error) === undefined) throw error;
    }
    return undefined;
  });
}
