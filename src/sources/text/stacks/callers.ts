import { isSameMoment, type Stamps } from '../stamps.ts';
import { Assembly } from './assembly.ts';
import type { FoundStacks } from './found-stacks.ts';
import type { LeftOut } from './text-stack.ts';
import type { Waiter } from './waiters.ts';

/** Tasks and CPUs that print at the same time. */
const MOST_CALLERS = 256;

/** The callers, whose lines may be mixed in a log: each has an assembly. */
export class Callers {
  readonly #stamps: Stamps;
  readonly #found: FoundStacks;
  readonly #assemblies = new Map<string, Assembly>();
  #current: Assembly;
  #mainHost: string | undefined;

  /** `found` gets the stacks that are assembled. */
  constructor(stamps: Stamps, found: FoundStacks) {
    this.#stamps = stamps;
    this.#found = found;
    this.#current = this.#newAssembly('');
  }

  /** That of the latest line. */
  get current(): Assembly {
    return this.#current;
  }

  /** What the assemblies have left out so far. */
  get leftOut(): LeftOut {
    const each = [...this.#assemblies.values()].map((assembly) => assembly.leftOut);
    const sum = (count: (leftOut: LeftOut) => number) => each.reduce((total, leftOut) => total + count(leftOut), 0);
    return { guesses: sum((l) => l.guesses), cut: sum((l) => l.cut), mixed: sum((l) => l.mixed) };
  }

  /** Whether no caller but the current one has begun a stack. Forgets the others if none has. */
  areIdle(): boolean {
    if (this.#assemblies.size === 1) return true;
    for (const assembly of this.#assemblies.values()) if (!assembly.isIdle) return false;
    for (const [key, assembly] of this.#assemblies) if (assembly !== this.#current) this.#drop(key, assembly);
    this.#assemblies.clear();
    this.#assemblies.set('', this.#current);
    this.#mainHost = undefined;
    return true;
  }

  /** Whether a stack of this task has begun, or follows at once. */
  isPending({ waiter, stamp }: Waiter): boolean {
    for (const assembly of this.#assemblies.values())
      if (assembly.isOf(waiter.tid) && isSameMoment(assembly.stamp, stamp)) return true;
    return false;
  }

  /** The assembly of this caller is the current one. Those whose lines are older than a moment end. */
  turnTo(caller: string | undefined, isLogged: boolean): void {
    if (this.#assemblies.size > 1) this.#endOld();
    if (caller === undefined && !isLogged) return;
    const key = `${this.#otherHost()}${caller ?? ''}`;
    const known = this.#assemblies.get(key);
    if (known === undefined && this.#assemblies.size >= MOST_CALLERS) this.endAll();
    this.#current = known ?? this.#newAssembly(key);
  }

  #newAssembly(key: string): Assembly {
    const assembly = new Assembly(this.#stamps.now, (assembled) => this.#found.complete(assembled));
    this.#assemblies.set(key, assembly);
    return assembly;
  }

  /** In a log of several hosts, each has its own callers: the host of this line, if it is another than the first. */
  #otherHost(): string {
    const { host } = this.#stamps.now.told;
    if (host === undefined || host === this.#mainHost) return '';
    if (this.#mainHost !== undefined && (this.#assemblies.size > 1 || !this.#current.isIdle)) return `${host} `;
    this.#mainHost = host;
    return '';
  }

  #endOld(): void {
    const { now } = this.#stamps;
    for (const [key, assembly] of this.#assemblies) {
      const { host } = assembly.stamp.told;
      const there = host === now.told.host || host === undefined ? now : { ...now, told: { ...now.told, host } };
      const isOld = !isSameMoment(assembly.stamp, there);
      if (isOld && assembly !== this.#current) assembly.end();
      if (key !== '' && assembly !== this.#current && assembly.isIdle) this.#drop(key, assembly);
    }
  }

  #drop(key: string, assembly: Assembly): void {
    this.#found.leaveOut(assembly.leftOut.cut);
    this.#assemblies.delete(key);
  }

  /** A blank line in the text. */
  blank(isDoubleSpaced: boolean): void {
    for (const assembly of this.#assemblies.values()) assembly.blank(isDoubleSpaced);
  }

  /** Ends the current stacks. */
  endAll(): void {
    for (const [key, assembly] of this.#assemblies) {
      assembly.end();
      if (key !== '' && assembly !== this.#current) this.#drop(key, assembly);
    }
  }
}
