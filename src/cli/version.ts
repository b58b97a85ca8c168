/** Set by the build to the version in package.json. */
declare const KSTACK_VERSION: string;

export const VERSION = KSTACK_VERSION;
