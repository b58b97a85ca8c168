import { addAbortSignal, type Readable } from 'node:stream';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { ClickHouseLogLevel, createClient } from './client-library.ts';
import type { Credentials } from './credentials.ts';
import { type Asked, ClickHouseFailure, failureOf, foreign } from './failure.ts';
import { shownTarget, type Target } from './target.ts';

export interface ConnectionOptions {
  readonly target: Target;
  readonly credentials: Credentials;
  /** Certificates of authorities to trust, as PEM; else those that the runtime trusts. */
  readonly authorities?: Buffer | undefined;
  /** How long the server may say nothing. */
  readonly deadlineMs: number;
  /** For advice: see {@link Asked}. */
  addition?(column: string): string | undefined;
  /** Aborted to try no longer. */
  readonly signal?: AbortSignal | undefined;
}

/** The server says so of itself in each answer; a proxy that answers itself does not. */
const OWN_HEADER = /^x-clickhouse-/;
/** From this version on there are asynchronous inserts. */
const COLLECTS_SINCE = [21, 11] as const;
const COLLECTED = { async_insert: 1, wait_for_async_insert: 1 } as const;
/** Distributions add a name of their own: 23.8.11.29.altinitystable. */
const VERSION = /^(\d+)\.(\d+)[\w.+-]*\n$/;
const MOST_SHOWN_BYTES = 4096;
/** More than a row has: of a command line, a recording keeps 1 MiB. */
const MOST_LINE_BYTES = 16 << 20;
const LINE_FEED = 10;
const OK = 200;
const EXCEPTION = 'x-clickhouse-exception-code';
/** The part of the time limit after which a connection that is reset was reset by the limit: its timers are not exact. */
const TIMERS_AGREE = 0.9;

/** What is sent with a statement, by the names of the client. */
interface More {
  readonly values?: Readable;
  readonly http_headers?: Record<string, string>;
  readonly clickhouse_settings?: ClickHouseSettings;
}

/** A ClickHouse database over HTTP(S), of version 18.16 and later. All calls throw ClickHouseFailure. */
export class Connection {
  /** Year and month of the server. */
  readonly version: readonly [year: number, month: number];
  /** The target as a URL, without a user. */
  readonly shown: string;
  readonly #client: ClickHouseClient;
  readonly #asked: Asked;

  private constructor(client: ClickHouseClient, asked: Asked, version: [number, number]) {
    this.#client = client;
    this.#asked = asked;
    this.shown = asked.shown;
    this.version = version;
  }

  /** @throws ClickHouseFailure if the server does not let the user in, or is none */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { target, credentials, authorities, deadlineMs, signal, addition } = options;
    const { user: username, password } = credentials;
    const client = createClient({
      url: target.server,
      database: target.database,
      username,
      password,
      ...(authorities !== undefined && { tls: { ca_cert: authorities } }),
      request_timeout: deadlineMs,
      // It would write to standard output.
      log: { level: ClickHouseLogLevel.OFF },
      // Servers of before 20 close a connection after three idle seconds without saying so.
      keep_alive: { idle_socket_ttl: 1500 },
    });
    const asked = { shown: shownTarget(target), user: username, deadlineMs, ...(addition && { addition }) };
    const unversioned = new Connection(client, asked, [0, 0]);
    try {
      // Whatever answers may never end.
      const said = await unversioned.#exec(
        'SELECT version() FORMAT TabSeparated',
        undefined,
        untilLate(deadlineMs, signal),
      );
      const [, year, month] = VERSION.exec(said) ?? [];
      if (year === undefined || month === undefined)
        throw new ClickHouseFailure('foreign', `${asked.shown}: ${foreign(said)}`);
      return new Connection(client, asked, [Number(year), Number(month)]);
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /**
   * The rows of a SELECT without FORMAT, as JSON has them: numbers of 64 bits are text. The server answers when it has
   * them all, so that there is an error or the rows.
   */
  async *rows(statement: string, signal?: AbortSignal): AsyncGenerator<Record<string, unknown>> {
    let heardMs: number | undefined;
    try {
      const { stream, headers, isFailure } = await this.#ask(`${statement}\nFORMAT JSONEachRow`, signal, {
        clickhouse_settings: { wait_end_of_query: 1, output_format_json_quote_64bit_integers: 1 },
      });
      heardMs = performance.now();
      if (isFailure || !isOwn(headers)) throw this.#refusal(await this.#beginning(stream, signal));
      // The client heeds it until the answer begins.
      if (signal !== undefined) addAbortSignal(signal, stream);
      for await (const line of linesIn(stream)) {
        if (line.length >= MOST_LINE_BYTES) throw new ClickHouseFailure('foreign', this.#foreign(line));
        yield this.#row(line);
        heardMs = performance.now();
      }
    } catch (error) {
      throw this.#failure(error, heardMs);
    }
  }

  /** Runs a statement that has no rows. */
  async run(statement: string, signal?: AbortSignal): Promise<void> {
    await this.#exec(statement, undefined, signal);
  }

  /**
   * Inserts rows. A server that can do so collects them with those of other hosts, and answers when all are stored.
   * @param body lines of JSONEachRow in gzip
   */
  async insert(table: string, body: Readable, signal?: AbortSignal): Promise<void> {
    await this.#exec(`INSERT INTO ${table} FORMAT JSONEachRow`, body, signal);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  get #collects(): boolean {
    const [year, month] = this.version;
    return year > COLLECTS_SINCE[0] || (year === COLLECTS_SINCE[0] && month >= COLLECTS_SINCE[1]);
  }

  /** Returns the answer, which is short. */
  async #exec(query: string, body: Readable | undefined, signal: AbortSignal | undefined): Promise<string> {
    let heardMs: number | undefined;
    try {
      const { stream, headers, isFailure } = await this.#ask(query, signal, {
        ...(body !== undefined && { values: body, http_headers: { 'Content-Encoding': 'gzip' } }),
        ...(body !== undefined && this.#collects && { clickhouse_settings: COLLECTED }),
      });
      heardMs = performance.now();
      const said = await this.#beginning(stream, signal);
      if (isFailure) throw this.#refusal(said);
      if (!isOwn(headers) || said.length >= MOST_SHOWN_BYTES)
        throw new ClickHouseFailure('foreign', this.#foreign(said));
      return said;
    } catch (error) {
      throw this.#failure(error, heardMs);
    }
  }

  /** Asks, and leaves it to the caller to read the answer: the client would take an error without an end. */
  async #ask(query: string, signal: AbortSignal | undefined, more: More) {
    const { stream, response_headers, http_status_code } = await this.#client.exec({
      ...more,
      query,
      ignore_error_response: true,
      ...(signal !== undefined && { abort_signal: signal }),
    });
    const isFailure = http_status_code !== OK || EXCEPTION in response_headers;
    return { stream, headers: response_headers, isFailure };
  }

  /** As much of an answer as can be shown. Who has answered has nothing more to do: it has to end soon. */
  async #beginning(stream: Readable, signal: AbortSignal | undefined): Promise<string> {
    const parts: Buffer[] = [];
    let length = 0;
    for await (const bytes of addAbortSignal(untilLate(this.#asked.deadlineMs, signal), stream)) {
      parts.push(bytes);
      length += bytes.length;
      if (length >= MOST_SHOWN_BYTES) break;
    }
    return Buffer.concat(parts).toString('utf8', 0, MOST_SHOWN_BYTES);
  }

  /** What the text of an answer means that is no result. */
  #refusal(text: string): ClickHouseFailure {
    return failureOf(new Error(text), this.#asked);
  }

  /** A row. What is none comes from another server, or is an error behind rows. */
  #row(line: string): Record<string, unknown> {
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      throw this.#refusal(line);
    }
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Record<string, unknown>;
    throw new ClickHouseFailure('foreign', this.#foreign(''));
  }

  #foreign(text: string): string {
    return `${this.shown}: ${foreign(text)}`;
  }

  /** @param heardMs when the last part of an answer came: once it has begun, the client's own time limit resets it */
  #failure(error: unknown, heardMs: number | undefined): ClickHouseFailure {
    if (error instanceof ClickHouseFailure) return error;
    const silentMs = heardMs === undefined ? 0 : performance.now() - heardMs;
    return failureOf(error, { ...this.#asked, fellSilent: silentMs >= this.#asked.deadlineMs * TIMERS_AGREE });
  }
}

/** The lines of an answer. Of one that is too long, as much as was read; nothing comes behind it. */
async function* linesIn(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const bytes of stream) {
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, from)) {
      yield Buffer.concat([...parts, bytes.subarray(from, end)]).toString();
      parts = [];
      length = 0;
      from = end + 1;
    }
    parts.push(bytes.subarray(from));
    length += bytes.length - from;
    if (length >= MOST_LINE_BYTES) break;
  }
  if (length > 0) yield Buffer.concat(parts).toString();
}

function isOwn(headers: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(headers).some((name) => OWN_HEADER.test(name));
}

function untilLate(deadlineMs: number, signal: AbortSignal | undefined): AbortSignal {
  const late = AbortSignal.timeout(deadlineMs);
  return signal === undefined ? late : AbortSignal.any([late, signal]);
}
