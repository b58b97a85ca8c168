import { certificateFault } from '../files/certificate-fault.ts';
import { codeOf } from '../files/files.ts';

/**
 * What went wrong: nobody answers; TLS fails; what answers is no ClickHouse; user and password; database or tables; the
 * server has no room for now; the statement.
 */
export type FailureKind = 'unreachable' | 'tls' | 'foreign' | 'credentials' | 'tables' | 'busy' | 'refused';

const PASSING: ReadonlySet<FailureKind> = new Set(['unreachable', 'foreign', 'busy']);

/** A server cannot be asked, or refuses. The message names it, the reason and the way out. */
export class ClickHouseFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, text: string, cause?: unknown) {
    super(text, { cause });
    this.kind = kind;
  }

  /** Whether it may work later without that somebody changes something here. */
  get passes(): boolean {
    return PASSING.has(this.kind);
  }
}

/** What a server said of itself, for {@link failureOf}. */
export interface Asked {
  /** The target as a URL. */
  readonly shown: string;
  readonly user: string;
  readonly deadlineMs: number;
  /** The statements that add a column to tables of an older kstack; undefined if no table has such a column. */
  addition?(column: string): string | undefined;
  /** Its answer had begun, and nothing more came for that long. */
  readonly fellSilent?: boolean;
}

/** What an error of the client means. */
export function failureOf(error: unknown, asked: Asked): ClickHouseFailure {
  const text = error instanceof Error ? error.message : String(error);
  const [kind, said] =
    ofServer(text, asked) ?? ofConnection(codeOf(error) ?? '', text, asked) ?? (['foreign', foreign(text)] as const);
  return new ClickHouseFailure(kind, `${asked.shown}: ${said}`, error);
}

type Told = readonly [kind: FailureKind, said: string];

const CREATE =
  'create the tables: kstack schema clickhouse | clickhouse-client --multiquery -d DATABASE (docs/tables.md)';
const CHECK_USER = 'check --credentials-file, CLICKHOUSE_USER and CLICKHOUSE_PASSWORD';

/** Codes of src/Common/ErrorCodes.cpp. */
const MEANINGS: Readonly<Record<number, readonly [kind: FailureKind, advice: string]>> = {
  16: ['tables', 'its tables are of another kstack: create them again in a database of their own'],
  60: ['tables', CREATE],
  81: ['tables', `create the database: CREATE DATABASE NAME; then ${CREATE}`],
  117: ['tables', 'its tables are of another kstack: create them again in a database of their own'],
  159: ['busy', ''],
  160: ['busy', ''],
  164: ['credentials', 'its profile is readonly: 2 lets it read with settings, and only without it may it insert'],
  192: ['credentials', CHECK_USER],
  193: ['credentials', CHECK_USER],
  194: ['credentials', CHECK_USER],
  195: ['credentials', 'the server lets this user in from other addresses only'],
  201: ['busy', ''],
  202: ['busy', ''],
  203: ['busy', ''],
  209: ['busy', ''],
  210: ['busy', ''],
  241: ['busy', ''],
  242: ['busy', ''],
  243: ['busy', 'its disk is full'],
  252: ['busy', ''],
  291: ['credentials', 'the user may not use this database'],
  319: ['busy', ''],
  425: ['busy', ''],
  497: ['credentials', 'the user lacks a right: it needs SELECT and INSERT on the tables'],
  516: ['credentials', CHECK_USER],
};

/** `Code: 60, e.displayText() = DB::Exception: ...` until 20.x, `Code: 60. DB::Exception: ...` since. */
const SAID = /Code: (\d+)[.,](?: e\.code\(\) = \d+,)?(?: e\.displayText\(\) =)? ([^\n]*)/;
const BEHIND = /, e\.what\(\) = .*| \(version [^)]*\)\)?$/;

/** How servers of all versions name a column that a table lacks. */
const LACKED =
  /Unknown (?:expression )?identifier:? [`']?(?:\w+\.)?(\w+)|Missing columns: '(\w+)'|JSONEachRow format: (\w+)|No such column (\w+)/;

function ofServer(text: string, { user, addition }: Asked): Told | undefined {
  const [, code, said = ''] = SAID.exec(text) ?? [];
  if (code === undefined) return undefined;
  const lacked = LACKED.exec(said)
    ?.slice(1)
    .find((name) => name !== undefined);
  const added = lacked === undefined ? undefined : addition?.(lacked);
  if (added !== undefined)
    return [
      'tables',
      `its tables are of another kstack: they lack the column ${lacked} (code ${code}); add it where it is missing: ` +
        `${added}; or create the tables in a database of their own: kstack schema clickhouse`,
    ];
  const [kind, advice] = MEANINGS[Number(code)] ?? ['refused', ''];
  const plain = said.replace(BEHIND, '').replace('DB::Exception: ', '');
  const asked = kind === 'credentials' ? ` for user ${user}` : '';
  return [kind, `the server refuses${asked}: ${plain} (code ${code})${advice === '' ? '' : `; ${advice}`}`];
}

const TLS_PORT = 'is this the port for TLS (8443; 8123 is for plain HTTP)?';

function ofConnection(code: string, text: string, { shown, deadlineMs, fellSilent }: Asked): Told | undefined {
  // A server of plain HTTP may wait for the end of the first line, which TLS does not have.
  const advice = shown.startsWith('https:') ? `; if it never answers: ${TLS_PORT}` : '';
  const reset = code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
  const isLate = /^Timeout error|aborted a request/.test(text) || code === 'ETIMEDOUT' || code === 'ABORT_ERR';
  if (isLate || (reset && fellSilent === true))
    return ['unreachable', `no answer within ${deadlineMs / 1000} s${advice}`];
  if (code === 'ECONNREFUSED')
    return ['unreachable', 'connection refused: does the server run, and is this its HTTP port (8123; 8443 for TLS)?'];
  if (code === 'ENOTFOUND') return ['unreachable', 'no such host'];
  const fault = certificateFault(code, 'server', '--ca-file');
  if (fault !== undefined) return ['tls', fault];
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') return ['tls', `TLS fails (${code}): ${TLS_PORT}`];
  if (code.startsWith('HPE_'))
    return ['foreign', `what answers is no HTTP (${code}): does it want ?secure=1 or https?`];
  if (reset || text === 'socket hang up')
    return ['unreachable', 'the connection was closed: is this the HTTP port, and does it want ?secure=1 or https?'];
  return code === '' ? undefined : ['unreachable', `${text} (${code})`];
}

const MOST_SHOWN = 100;

/** What a proxy or another server says. */
export function foreign(text: string): string {
  const plain = text
    .replaceAll(/<(script|style)\b.*?<\/\1>|<[^>]*>/gis, ' ')
    .replaceAll(/[^\x21-\x7e]+/g, ' ')
    .trim();
  const shown = plain.length > MOST_SHOWN ? `${plain.slice(0, MOST_SHOWN)}...` : plain;
  const what = /<\w+[^>]*>/.test(text) ? 'a page of HTML' : 'something else';
  return `what answers is no ClickHouse but ${what}${shown === '' ? '' : `: '${shown}'`}: is there a proxy?`;
}
