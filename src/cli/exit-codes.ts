/** Failed, or none of the given PIDs exists. */
export const FAILED = 1;
export const WRONG_USAGE = 2;
/** A check could not tell. */
export const UNKNOWN = 3;
/** Ended by a signal, as a shell tells it. */
export const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;
