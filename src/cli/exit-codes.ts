/** Failed, or nothing found that was asked for by PID. */
export const FAILED = 1;
export const WRONG_USAGE = 2;
