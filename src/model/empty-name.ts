/** How people are shown the empty name that a program has given itself, which nobody would see. */
export const EMPTY_NAME = "''";
