/** The hosts in order of their loads, by the quarters. */
export interface Quartiles {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** Far outside of the middle half (J. Tukey, Exploratory Data Analysis): of a normal distribution, 2 in a million. */
const FAR = 3;
/** Of an idle fleet, the middle half is nothing: a host has to have half a task blocked more than the usual one. */
const LEAST_MORE = 0.5;

/** The load above which a host is unlike the rest. */
export function unlikeAbove({ low, middle, high }: Quartiles): number {
  return Math.max(high + FAR * (high - low), middle + LEAST_MORE);
}
