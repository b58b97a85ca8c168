/** Failed, or none of the given PIDs exists. */
export const FAILED = 1;
export const WRONG_USAGE = 2;
/** A check could not tell. */
export const UNKNOWN = 3;
