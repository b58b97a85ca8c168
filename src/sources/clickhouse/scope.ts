/** Which samples of a database are wanted. */
export interface Scope {
  /** Patterns with `*` and `?`; none for all hosts. */
  readonly hosts: readonly string[];
  /** Unix milliseconds, both included; infinite for all times, and so for samples without a time. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A text as a literal of SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&').replaceAll('\0', '\\0')}'`;
}

/** The condition that a row of a table with host and time is in the scope. */
export function inScope(scope: Scope): string {
  return [onHosts(scope), ...inTime(scope)].join(' AND ');
}

/** The condition that a row is of a wanted host. */
export function onHosts({ hosts }: Pick<Scope, 'hosts'>): string {
  if (hosts.length === 0) return '1';
  return `(${hosts.map((pattern) => `host LIKE ${literal(likeOf(pattern))}`).join(' OR ')})`;
}

/** Days are told from the column `time`, and rows in them from `time_ms`. */
function inTime({ fromMs, toMs }: Scope): string[] {
  const bounds = [
    [fromMs, '>='],
    [toMs, '<='],
  ] as const;
  return bounds.flatMap(([ms, than]) => {
    if (!Number.isFinite(ms)) return [];
    const whole = Math.trunc(ms);
    const seconds = Math.min(MOST_SECONDS, Math.max(0, Math.floor(whole / 1000)));
    return [`time_ms ${than} ${whole}`, `time ${than} toDateTime(${seconds}, 'UTC')`];
  });
}

/** DateTime ends in 2106. */
const MOST_SECONDS = 2 ** 32 - 1;

function likeOf(pattern: string): string {
  return pattern
    .replaceAll(/[%_\\]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_');
}

/** A list of keys for IN; none is in an empty one. */
export function listOf(keys: Iterable<string>): string {
  const texts = [...keys].map((key) => (/^\d{1,20}$/.test(key) ? key : literal(key)));
  return texts.length === 0 ? '(NULL)' : `(${texts.join(', ')})`;
}
