import * as http from 'node:http';
import * as https from 'node:https';
import { certificateFault } from '../files/certificate-fault.ts';
import { codeOf } from '../files/files.ts';
import { reasonOf } from '../native/reason.ts';
import { type Rejected, rejectedIn, statusIn, textOf } from '../sinks/otlp-answer.ts';
import { type OtlpTarget, PATHS } from './otlp-target.ts';

/** What became of a request. */
export type Posted =
  | { readonly isTaken: true; readonly rejected: Rejected | undefined }
  /** `afterMs`: when it may be sent again; undefined if that would be in vain. */
  | { readonly isTaken: false; readonly why: string; readonly afterMs: number | undefined };

export interface PostOptions {
  readonly url: URL;
  readonly body: Uint8Array;
  readonly deadlineMs: number;
  /** Aborted to wait no longer. */
  readonly signal?: AbortSignal;
}

const MOST_ANSWER_BYTES = 64 << 10;
const TYPE = 'application/x-protobuf';
/** Those that may be sent again: opentelemetry.io/docs/specs/otlp, "Retryable Response Codes". */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const USUAL_AFTER_MS = 1000;

/** Sends a request to a receiver of OTLP, and never takes longer than the deadline. It follows no redirect. */
export async function post(target: OtlpTarget, options: PostOptions): Promise<Posted> {
  try {
    const { status, headers, body } = await exchange(target, options);
    const type = headers['content-type'] ?? '';
    // A proxy or a login page also answers with 200.
    if (/^text\/html/i.test(type) && !RETRYABLE.has(status)) {
      const why = `it answered ${status} with a web page: a proxy in between, or no receiver of OTLP over HTTP`;
      return { isTaken: false, why, afterMs: undefined };
    }
    if (status >= 200 && status < 300) return { isTaken: true, rejected: rejectedIn(body) };
    const said = saidIn(type, body);
    const why = `it answered ${status}${said === '' ? '' : `: ${said}`}${adviceOn(status, options.url)}`;
    if (!RETRYABLE.has(status)) return { isTaken: false, why, afterMs: undefined };
    return { isTaken: false, why, afterMs: retryAfterMs(headers['retry-after']) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const fault = tlsFault(codeOf(error) ?? '');
    return fault === undefined
      ? { isTaken: false, why: reasonOf(error), afterMs: USUAL_AFTER_MS }
      : { isTaken: false, why: fault, afterMs: undefined };
  }
}

function tlsFault(code: string): string | undefined {
  const isPlain = code.startsWith('ERR_SSL') || code === 'EPROTO';
  if (isPlain) return `TLS fails (${code}): does it want http:// rather than https://?`;
  return certificateFault(code, 'receiver', '--otlp-ca-file');
}

/** The reason that an answer gives, on one line; nothing if it gives none. */
function saidIn(type: string, body: Buffer): string {
  if (type.startsWith(TYPE)) return statusIn(body) ?? '';
  // A server of TLS that is asked without it answers with text and no header.
  return type === '' || /^(?:text\/plain|application\/json)\b/i.test(type) ? textOf(body) : '';
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

function exchange(
  { headers, authorities }: OtlpTarget,
  { url, body, deadlineMs, signal }: PostOptions,
): Promise<Answer> {
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const late = () => {
      reject(new Error(`it did not answer within ${deadlineMs / 1000} s`));
      sent.destroy();
    };
    const timer = setTimeout(late, deadlineMs);
    const ended = () => {
      reject(new Error('it did not answer before the end'));
      sent.destroy();
    };
    signal?.addEventListener('abort', ended, { once: true });
    const end = (use: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', ended);
      use();
    };
    const all = { ...headers, 'content-type': TYPE, 'content-length': body.length };
    const options = {
      method: 'POST',
      headers: all,
      agent: false,
      ...(authorities !== undefined && { ca: authorities }),
    };
    const sent = request(url, options, (answer) => {
      const pieces: Buffer[] = [];
      let length = 0;
      answer.on('data', (piece: Buffer) => {
        length += piece.length;
        if (length <= MOST_ANSWER_BYTES) pieces.push(piece);
        else answer.destroy(new Error(`its answer is longer than ${MOST_ANSWER_BYTES} bytes`));
      });
      answer.on('error', (error) => end(() => reject(error)));
      answer.on('end', () =>
        end(() => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) })),
      );
    });
    sent.on('error', (error) => end(() => reject(error)));
    sent.end(body);
  });
}

function adviceOn(status: number, { pathname }: URL): string {
  if (status === 401 || status === 403) return '; credentials go into the file of --otlp-headers';
  if (status === 404 && pathname.endsWith(`/${PATHS.profiles}`))
    return '; it may not take profiles, which are experimental';
  if (status === 404) return '; is it a receiver of OTLP over HTTP, usually at port 4318?';
  return status >= 300 && status < 400 ? '; give the address it redirects to' : '';
}

/** Seconds, or a date (RFC 9110, 10.2.3); never at once. */
function retryAfterMs(text: string | undefined): number {
  if (text === undefined) return USUAL_AFTER_MS;
  const milliseconds = /^\d{1,9}$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(USUAL_AFTER_MS, milliseconds) : USUAL_AFTER_MS;
}
