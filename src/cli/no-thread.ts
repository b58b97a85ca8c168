/** A thread has told nothing, as it could not begin: what it was to read has to be read without it. */
export class NoThread extends Error {}
