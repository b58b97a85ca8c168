import { type Command, InvalidArgumentError, Option } from 'commander';
import { notEmpty } from '../cli/background-options.ts';
import { WRONG_USAGE } from '../cli/exit-codes.ts';
import { addOriginOptions, originOf } from '../cli/host-options.ts';
import { intervalOption } from '../cli/interval-option.ts';
import { redactOption } from '../cli/output-options.ts';
import { isReadOnce } from '../cli/read-once.ts';
import { recordingsIn } from '../cli/recordings-in.ts';
import { addSelectionOptions, procOf, selectionOf, sourceOf } from '../cli/selection-options.ts';
import { typedCommand } from '../cli/typed-command.ts';
import { addWindowOptions, misplacedOnFiles, windowOf } from '../cli/window-options.ts';
import type { Place } from '../server/listen.ts';

const LARGEST_PORT = 65_535;
const LOOPBACK = '127.0.0.1';

interface ServeFlags {
  readonly port?: number;
  readonly socket?: string;
  readonly listen?: string;
  readonly name?: readonly string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly behindProxy?: true;
  readonly redact?: true;
  readonly recordTo?: string;
  readonly tokenFile?: string;
  readonly i: number;
}

/** Registers `kstack serve`. */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('Show recordings and logs, or this host live, in a browser. Only those who have the URL can see them.')
    .argument(
      '[FILE...]',
      'recordings or directories of them, logs of kstack -b, kernel logs, dumps, clickhouse://HOST/DATABASE ' +
        '(default: this host, live)',
    )
    .optionsGroup('Where:')
    .addOption(new Option('--port <NUMBER>', 'port on 127.0.0.1; 0: any free one').argParser(parsePort))
    .addOption(
      new Option('--socket <FILE>', 'a UNIX socket instead, which only its owner may open')
        .argParser(notEmpty)
        .conflicts(['port', 'listen', 'tlsCert', 'tlsKey']),
    )
    .addOption(new Option('--listen <ADDRESS>', 'another address; needs TLS or --behind-proxy').argParser(notEmpty))
    .addOption(new Option('--name <NAME>', 'name of the server in URLs, besides localhost').argParser(addName))
    .addOption(new Option('--tls-cert <FILE>', 'certificate for HTTPS, as PEM').argParser(notEmpty))
    .addOption(new Option('--tls-key <FILE>', 'its private key, as PEM').argParser(notEmpty))
    .option('--behind-proxy', 'a proxy in front of it does HTTPS')
    .addOption(
      new Option('--token-file <FILE>', 'read the token from a file (default: a new one each time)').argParser(
        notEmpty,
      ),
    )
    .optionsGroup('What:')
    .addOption(redactOption())
    .optionsGroup('For this host, live:')
    .addOption(intervalOption())
    .addOption(
      new Option('--record-to <DIRECTORY>', 'let those who have the URL start and stop a recording into it').argParser(
        notEmpty,
      ),
    )
    .optionsGroup('For files:');
  addWindowOptions(command);
  addOriginOptions(command);
  addSelectionOptions(command, 'everything if there is none');
  command.action(async (given: string[]) => {
    const files = recordingsIn(given);
    const { names } = files;
    const flags: ServeFlags = command.opts();
    const wrong = misplacedIn(command, flags, names);
    if (wrong !== undefined) command.error(`error: ${wrong}`, { exitCode: WRONG_USAGE });
    const origin = originOf(command, names);
    const selection = await selectionOf(command);
    const { serve } = await import('../cli/serve.ts');
    process.exitCode = await serve({
      ...files,
      window: windowOf(command),
      selection,
      origin,
      root: procOf(command),
      source: sourceOf(command),
      intervalMs: 1000 * flags.i,
      place: placeOf(flags),
      serverNames: flags.name ?? [],
      tls: flags.tlsCert !== undefined && flags.tlsKey !== undefined ? [flags.tlsCert, flags.tlsKey] : undefined,
      redact: flags.redact === true,
      recordTo: flags.recordTo,
      isBehindProxy: flags.behindProxy === true,
      tokenFile: flags.tokenFile,
      typed: typedCommand(),
    });
  });
}

function placeOf({ socket, listen = LOOPBACK, port = 0 }: ServeFlags): Place {
  return socket === undefined ? { address: listen, port } : { socket };
}

/** What is wrong with the options together; undefined if nothing is. */
function misplacedIn(command: Command, flags: ServeFlags, names: readonly string[]): string | undefined {
  const { tlsCert, tlsKey, listen, behindProxy } = flags;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) return "'--tls-cert' and '--tls-key' need each other";
  if (listen !== undefined && tlsCert === undefined && behindProxy !== true)
    return "'--listen' needs '--tls-cert' and '--tls-key', or '--behind-proxy': otherwise anybody on the network can read it";
  if (names.some(isReadOnce))
    return 'standard input and pipes can be read only once, and a page may be opened again; name a file';
  return misplacedOnFiles(command, names, { i: '-i', source: '--source', proc: '--proc', recordTo: '--record-to' });
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= LARGEST_PORT) return port;
  throw new InvalidArgumentError(`Give a number from 0 to ${LARGEST_PORT}.`);
}

function addName(text: string, earlier: readonly string[] = []): readonly string[] {
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text)) return [...earlier, text.toLowerCase()];
  throw new InvalidArgumentError('Give a host name such as kstack.example.com, without a port.');
}
