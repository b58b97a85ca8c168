import { type Pattern, type Selection, takesAll } from '../../model/selection.ts';
import { inScope, listOf, literal, onHosts, type Scope } from './scope.ts';

/**
 * The condition that a row of observations is needed to apply a selection: it may be of a task that is taken, or of one
 * that others wait for. What SQL cannot tell exactly is left to whoever applies the selection, and so are tasks of which
 * the database does not tell what the selection asks for. Undefined if it needs all rows.
 */
export function neededBy(selection: Selection, scope: Scope): string | undefined {
  const conditions = [
    ...ofNumbers(selection),
    ...ofCommand(selection),
    ...ofUsers(selection, scope),
    ...ofStack(selection),
    ...(selection.blocked === true ? ["kind != 'idle' AND NOT own"] : []),
  ];
  if (conditions.length === 0) return undefined;
  const taken = conditions.map((condition) => `(${condition})`).join(' AND ');
  return `(${[taken, ...['from_tid', 'to_tid'].map((end) => isEnd(end, scope))].join(' OR ')})`;
}

/** That it has the number of a task at an end of an edge. */
function isEnd(column: string, scope: Scope): string {
  return `tid IN (SELECT assumeNotNull(${column}) FROM waits WHERE ${inScope(scope)} AND isNotNull(${column}))`;
}

function ofNumbers(selection: Selection): string[] {
  if (takesAll(selection)) return [];
  const { pids = [], states = [] } = selection;
  const numbers = listOf(pids.map(String));
  const letters = listOf(states);
  return [
    [
      ...(pids.length === 0 ? [] : [`tid IN ${numbers}`, `pid IN ${numbers}`]),
      ...(states.length === 0 ? [] : [`state IN ${letters}`, 'isNull(state)']),
    ].join(' OR '),
  ];
}

function ofCommand({ command }: Selection): string[] {
  const matches = command && matching('comm', command);
  return matches === undefined ? [] : [`isNull(comm) OR ${matches}`];
}

function ofUsers({ users }: Selection, scope: Scope): string[] {
  if (users === undefined) return [];
  const ofUser = `uid IN ${listOf(users.map(String))} OR isNull(uid)`;
  return [`task IN (SELECT task FROM tasks WHERE ${onHosts(scope)} AND (${ofUser}))`];
}

function ofStack({ function: pattern, module }: Selection): string[] {
  const has = (condition: string) =>
    `isNotNull(stack_unread) OR stack IN (SELECT stack FROM frames WHERE ${condition})`;
  const matches = pattern && matching('symbol', pattern);
  return [
    ...(matches === undefined ? [] : [has(matches)]),
    ...(module === undefined ? [] : [has(`module = ${literal(module)}`)]),
  ];
}

/** What means the same to every engine of the syntax of RE2, whatever text it is applied to. */
const PLAIN = /^[\w /:.^$|*+?()-]+$/;

function matching(column: string, { source, flags = '' }: Pattern): string | undefined {
  return flags === '' && PLAIN.test(source) ? `match(${column}, ${literal(source)})` : undefined;
}
