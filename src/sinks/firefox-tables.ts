import { KINDS } from '../analysis/explain/explain-sample.ts';
import { functionName } from '../analysis/function-name.ts';
import type { Finding } from '../model/finding.ts';
import type { Frame } from '../model/stack.ts';
import { escapeUnsafe } from '../terminal/escape.ts';

export type Kind = Finding['kind'];

/** What samples and markers are coloured by. The first grey one is the default of the viewer. */
export const CATEGORIES: readonly { readonly name: Kind | 'other'; readonly color: string }[] = [
  { name: 'blocked', color: 'red' },
  { name: 'unexplained', color: 'orange' },
  { name: 'running', color: 'green' },
  { name: 'idle', color: 'transparent' },
  { name: 'other', color: 'grey' },
];

export function categoryOf(kind: Kind | 'other'): number {
  return CATEGORIES.findIndex(({ name }) => name === kind);
}

const KERNEL = 'kernel';
const LIBRARY = 1;
const NONE = -1;

/** Numbers for texts or the like, from 0 on. */
class Numbers {
  readonly #numbers = new Map<string, number>();

  /** @param define is called with the number of a new one */
  of(key: string, define: (number: number) => void): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(key, number);
      define(number);
    }
    return number;
  }
}

/** The tables that all threads of a profile share. Each column is a list. */
export class SharedTables {
  readonly #strings: string[] = [];
  readonly #stringNumbers = new Numbers();
  readonly #resourceNumbers = new Numbers();
  readonly #functionNumbers = new Numbers();
  readonly #frameNumbers = new Numbers();
  readonly #stackNumbers = new Numbers();
  /** The stack of each list of frames, by kind: equal lists are mostly the same object. */
  readonly #known = new Map<Kind, WeakMap<readonly Frame[], number>>(KINDS.map((kind) => [kind, new WeakMap()]));
  readonly #resources: number[] = [];
  readonly #functions: { readonly name: number; readonly resource: number }[] = [];
  readonly #frames: { readonly func: number; readonly category: number }[] = [];
  readonly #stacks: { readonly frame: number; readonly prefixOffset: number }[] = [];

  string(text: string): number {
    return this.#stringNumbers.of(text, () => this.#strings.push(escapeUnsafe(text)));
  }

  /** The number of a stack, innermost frame first, of a task of that kind. There has to be a frame. */
  stack(frames: readonly Frame[], kind: Kind): number {
    const known = this.#known.get(kind)?.get(frames);
    if (known !== undefined) return known;
    const category = categoryOf(kind);
    let stack: number | undefined;
    for (const each of frames.toReversed()) {
      const frame = this.#frame(each, category);
      const prefix = stack;
      stack = this.#stackNumbers.of(`${prefix ?? ''} ${frame}`, (number) =>
        this.#stacks.push({ frame, prefixOffset: prefix === undefined ? 0 : number - prefix }),
      );
    }
    this.#known.get(kind)?.set(frames, stack ?? 0);
    return stack ?? 0;
  }

  #frame({ symbol, module = KERNEL }: Frame, category: number): number {
    const name = functionName(symbol);
    const func = this.#functionNumbers.of(`${name}\n${module}`, () => {
      const resource = this.#resourceNumbers.of(module, () => this.#resources.push(this.string(module)));
      this.#functions.push({ name: this.string(name), resource });
    });
    return this.#frameNumbers.of(`${func} ${category}`, () => this.#frames.push({ func, category }));
  }

  /** As RawProfileSharedData of the processed format. */
  end() {
    const resources = this.#resources;
    const functions = this.#functions;
    const frames = this.#frames;
    const stacks = this.#stacks;
    const no = <T>(list: readonly unknown[], value: T): T[] => list.map(() => value);
    return {
      stackTable: {
        frame: stacks.map(({ frame }) => frame),
        prefixOffset: stacks.map(({ prefixOffset }) => prefixOffset),
        length: stacks.length,
      },
      frameTable: {
        address: no(frames, NONE),
        lib: no(frames, NONE),
        inlineDepth: no(frames, 0),
        category: frames.map(({ category }) => category),
        subcategory: no(frames, 0),
        func: frames.map(({ func }) => func),
        nativeSymbol: no(frames, null),
        innerWindowID: no(frames, null),
        line: no(frames, null),
        column: no(frames, null),
        originalLocation: no(frames, null),
        length: frames.length,
      },
      funcTable: {
        name: functions.map(({ name }) => name),
        isJS: no(functions, false),
        relevantForJS: no(functions, false),
        resource: functions.map(({ resource }) => resource),
        source: no(functions, null),
        lineNumber: no(functions, null),
        columnNumber: no(functions, null),
        originalLocation: no(functions, null),
        length: functions.length,
      },
      resourceTable: {
        name: resources,
        host: no(resources, null),
        type: no(resources, LIBRARY),
        length: resources.length,
      },
      nativeSymbols: { libIndex: [], address: [], name: [], functionSize: [], length: 0 },
      stringArray: this.#strings,
      sources: { id: [], filename: [], startLine: [], startColumn: [], sourceMapURL: [], content: [], length: 0 },
      sourceLocationTable: { source: [], line: [], column: [], length: 0 },
    };
  }
}
