import { type Command, InvalidArgumentError } from 'commander';
import { withFiles } from '../files/remote.ts';
import { certificatesIn, settingsIn } from '../files/settings-file.ts';
import { reasonOf } from '../native/reason.ts';
import { WRONG_USAGE } from './exit-codes.ts';

/** Where a receiver of OTLP is, and what its requests carry beside their content. */
export interface OtlpTarget {
  /** Without /v1/metrics. */
  readonly base: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates of authorities to trust, as PEM; undefined for those that the runtime trusts. */
  readonly authorities: Buffer | undefined;
}

/** What is sent, and the path of each. That of profiles is in alpha. */
export const PATHS = { metrics: 'v1/metrics', logs: 'v1/logs', profiles: 'v1development/profiles' } as const;
export type Signal = keyof typeof PATHS;

interface OtlpFlags {
  readonly otlp?: string;
  readonly otlpHeaders?: string;
  readonly otlpCaFile?: string;
}

/** The form of OTEL_EXPORTER_OTLP_HEADERS, under a name that the executable passes on. */
const HEADERS = 'KSTACK_OTLP_HEADERS';
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,100}$/;
const HEADER_VALUE = /^[\x20-\x7e]{0,8000}$/;

/**
 * The receiver that was named; undefined if none was. Exits if other options apply to none.
 * @throws Error naming a file that cannot be used
 */
export async function otlpOf(command: Command): Promise<OtlpTarget | undefined> {
  const { otlp, otlpHeaders: file, otlpCaFile: caFile }: OtlpFlags = command.opts();
  if (otlp === undefined) {
    const misplaced = OF_RECEIVER.find((name) => command.getOptionValueSource(name) === 'cli');
    const flag = command.options.find((option) => option.attributeName() === misplaced)?.long;
    if (flag !== undefined) command.error(`error: '${flag}' needs '--otlp'`, { exitCode: WRONG_USAGE });
    return undefined;
  }
  return {
    base: urlOf(command, otlp),
    headers: file === undefined ? headersIn(process.env[HEADERS] ?? '') : await headersOf(file),
    authorities: caFile === undefined ? undefined : await withFiles((files) => certificatesIn(files, caFile)),
  };
}

const OF_RECEIVER = ['otlpHeaders', 'otlpCaFile', 'otlpProfiles'];

/** The address of one signal. */
export function signalUrl({ base }: Pick<OtlpTarget, 'base'>, signal: Signal): URL {
  return new URL(`${base.href.replace(/\/$/, '')}/${PATHS[signal]}`);
}

function urlOf(command: Command, text: string): URL {
  try {
    return parseUrl(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    command.error(`error: the URL of '--otlp' cannot be used. ${error.message}`, { exitCode: WRONG_USAGE });
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError('Give http:// or https://.');
  if (url.username !== '' || url.password !== '')
    throw new InvalidArgumentError('Other users see it in ps: credentials go into the file of --otlp-headers.');
  if (url.search !== '' || url.hash !== '') throw new InvalidArgumentError('Give it without ? and #.');
  const [path] = /\/v1(?:development)?\/(?:metrics|logs|traces|profiles)\/?$/.exec(url.pathname) ?? [];
  if (path !== undefined) throw new InvalidArgumentError(`Leave ${path} out: kstack adds it.`);
  return url;
}

async function headersOf(file: string): Promise<Record<string, string>> {
  try {
    const text = (await withFiles((files) => settingsIn(files, file, true))).toString();
    const lines = text.split('\n').filter((line) => !/^\s*(?:#|$)/.test(line));
    return headersFrom(
      lines.map((line) => /^([^:]*):(.*)$/s.exec(line)),
      'each line is NAME: VALUE',
    );
  } catch (error) {
    throw new Error(`cannot use the headers in ${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/** `name=value,name=value`, values percent-encoded (OTEL_EXPORTER_OTLP_HEADERS). */
function headersIn(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  try {
    const decoded = pairs.map((pair) => /^([^=]*)=(.*)$/s.exec(decodeURIComponent(pair)));
    return headersFrom(decoded, 'it has the form NAME=VALUE,NAME=VALUE');
  } catch (error) {
    throw new Error(`cannot use ${HEADERS}: ${reasonOf(error)}`, { cause: error });
  }
}

function headersFrom(pairs: readonly (RegExpExecArray | null)[], form: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of pairs) {
    const [, name = '', value = ''] = (pair ?? []).map((part) => part.trim());
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) throw new Error(form);
    headers[name] = value;
  }
  return headers;
}
