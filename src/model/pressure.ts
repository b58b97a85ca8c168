/** Resources that tasks stall on, as /proc/pressure names them (Documentation/accounting/psi.rst). */
export const PRESSURES = ['cpu', 'io', 'memory'] as const;

export type PressureName = (typeof PRESSURES)[number];

/** Shares of the last 10 seconds in which some tasks, or all of them, stalled: percent from 0 to 100. */
export interface Stall {
  readonly some: number;
  /** Absent for the CPU of older kernels. */
  readonly full?: number;
}

/** Absent for what the kernel does not tell. */
export type Pressure = { readonly [Name in PressureName]?: Stall };
