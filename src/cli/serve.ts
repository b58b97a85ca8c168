import type { Server } from 'node:http';
import { hostname } from 'node:os';
import { createSecureContext } from 'node:tls';
import { leaveOutIdle } from '../analysis/leave-out-idle.ts';
import { RedactedStream, Redactor } from '../analysis/redact.ts';
import { whyNotProc } from '../background/proc-root.ts';
import { recordingBounds, USUAL_BYTES } from '../background/recording-bounds.ts';
import { InputError, inputBytes } from '../files/input-file.ts';
import { withFiles } from '../files/remote.ts';
import { SettingsFileError, settingsIn } from '../files/settings-file.ts';
import type { Sample } from '../model/sample.ts';
import { EVERYTHING, type Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { reasonOf } from '../native/reason.ts';
import { ownCommand } from '../native/self.ts';
import { Access, TOKEN } from '../server/access.ts';
import { DirectoryRecorder } from '../server/directory-recorder.ts';
import { FileSource } from '../server/file-source.ts';
import { ListenError, listen } from '../server/listen.ts';
import { LiveSource } from '../server/live-source.ts';
import { MetricsPage } from '../server/metrics-page.ts';
import type { StreamSource } from '../server/source.ts';
import { type Certificate, createWebServer } from '../server/web-server.ts';
import { format as html } from '../sinks/html.ts';
import { describeMissingTasks, whyNoStacks } from '../sources/live/procfs/access.ts';
import { openSamplerProcess } from '../sources/live/sampler-process.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { neverWaitForStderr, SignalledOutput } from '../terminal/eager-output.ts';
import { writeStderr } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import { fileSamples, type Wanted } from './file-samples.ts';
import type { Origin } from './host-options.ts';
import { type LookOptions, look } from './look.ts';
import { noProblems, tellProblems } from './merged-samples.ts';
import { measuredMetrics } from './metrics.ts';
import { tellNone } from './nothing-found.ts';
import { pageContent } from './page-content.ts';
import type { NamedFiles } from './recordings-in.ts';
import { addressText, type ServeAddress } from './serve-address.ts';
import type { Window } from './time-window.ts';

const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;
/** What still runs after a signal is left behind then: the sampler's process may be stuck. */
const LEAVE_MS = 1000;
/** A chain of certificates takes some kilobytes. */
const MOST_BYTES = 1 << 20;
/** Of what a page records. */
const BOUNDS = recordingBounds(USUAL_BYTES, { maxUsedPercent: 85, options: '' });

/** Without a file, this host is shown. */
export interface ServeOptions extends ServeAddress, NamedFiles {
  readonly window: Window;
  readonly selection: Selection | undefined;
  readonly origin: Origin;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  readonly intervalMs: number;
  /** Whether stand-ins replace what tells of people and machines. */
  readonly redact: boolean;
  /** The directory that a page may record into. */
  readonly recordTo: string | undefined;
  /** The command as typed, for the advice to repeat it with sudo. */
  readonly typed: string;
}

/** Serves a page until a signal ends it. Returns the exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  neverWaitForStderr();
  const stop = new AbortController();
  const ended = new Promise<keyof typeof SIGNAL_EXIT>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        resolve(signal);
        stop.abort();
      });
  });
  const source = options.names.length > 0 ? await sourceOfFiles(options) : await sourceOfHost(options);
  if (source === undefined) return FAILED;
  let server: Server;
  try {
    const access = new Access(options.serverNames, await tokenOf(options));
    server = await createWebServer(access, source, await certificateOf(options), metricsOfHost(options));
    const host = await listen(server, options.place);
    await new SignalledOutput(stop.signal).write(addressText(options, host, access.token, hostname()));
  } catch (error) {
    if (!(error instanceof ListenError || error instanceof InputError || error instanceof SettingsFileError))
      throw error;
    writeStderr(`kstack: ${error.message}\n`);
    return FAILED;
  }
  const code = SIGNAL_EXIT[await ended];
  // A recording is ended, unless its file system hangs.
  setTimeout(() => process.exit(code), source.closesMs + LEAVE_MS).unref();
  server.close();
  server.closeAllConnections();
  await source.close();
  return code;
}

/** @throws ListenError if the files are not a certificate and its key; InputError if they cannot be read */
async function certificateOf({ tls }: ServeOptions): Promise<Certificate | undefined> {
  if (tls === undefined) return undefined;
  const [certName, keyName] = tls;
  const [cert, key] = await Promise.all([contentOf(certName), contentOf(keyName)]);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const files = `${certName} and ${keyName}`;
    throw new ListenError(`${files} are no certificate and its private key, as PEM: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return { cert, key };
}

/** @throws ListenError if the file has no token; SettingsFileError if it cannot be read, or others can read it */
async function tokenOf({ tokenFile }: ServeOptions): Promise<string | undefined> {
  if (tokenFile === undefined) return undefined;
  const content = await withFiles((files) => settingsIn(files, tokenFile, true));
  const token = content.toString('latin1').trim();
  if (TOKEN.test(token)) return token;
  throw new ListenError(`${tokenFile} has no token: write 20 to 100 letters, digits, - and _ into it`);
}

/** Undefined for files. */
function metricsOfHost({ names, root, source, intervalMs, selection = EVERYTHING }: ServeOptions) {
  if (names.length > 0) return undefined;
  const open = (wanted: LookOptions) => openSamplerProcess(root, { ...wanted, selection, source }, ownCommand([]));
  const measure = async (samples: number) => (await measuredMetrics(() => look(open), samples)).metrics;
  return new MetricsPage({ mostMs: intervalMs, clock: systemClock(), measure });
}

async function contentOf(name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of inputBytes(name)) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new ListenError(`${name} is too large for a certificate, a key or a token`);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

/** Undefined, and said on standard error, if there is no sample in the files. */
async function sourceOfFiles({
  names,
  listed,
  window,
  selection,
  origin,
  redact,
}: ServeOptions): Promise<StreamSource | undefined> {
  const clock = systemClock();
  const wanted: Wanted = { names, listed, window, selection, origin, verb: 'serve' };
  const problems = noProblems();
  const samples = fileSamples(wanted, problems, clock);
  const first = await samples.next();
  if (first.done === true) {
    tellProblems(problems);
    await tellNone(wanted, problems, clock);
    return undefined;
  }
  await samples.return(undefined);
  // The same stand-ins each time the page is opened.
  const redactor = redact ? new Redactor() : undefined;
  let isTold = false;
  return new FileSource(async () => {
    const found = noProblems();
    // The page is told, too, that it has not all.
    const tell = () => {
      if (!isTold) tellProblems(found);
      isTold = true;
      if (found.unread > 0) throw new Error(found.lines.at(-1));
    };
    const { fleet, samples: read } = await pageContent(wanted, found, { clock, redactor });
    if (found.unread > 0) tell();
    async function* toldBehind(): AsyncGenerator<Sample> {
      yield* read;
      tell();
    }
    return { fleet, samples: toldBehind() };
  });
}

/** Undefined, and said on standard error, if stacks cannot be read. */
async function sourceOfHost(options: ServeOptions): Promise<StreamSource | undefined> {
  const { root, source, typed, intervalMs, redact, recordTo, selection = EVERYTHING } = options;
  const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed);
  if (refusal !== undefined) {
    writeStderr(`kstack: ${refusal}\n`);
    return undefined;
  }
  const missing = describeMissingTasks(root, selection);
  if (missing !== undefined) writeStderr(`kstack: ${missing}\n`);
  const { fields, facts, edges = false } = html;
  const wanted = { selection, source, fields, facts, edges, events: true, intervalMs, steady: true, ownsProcess: true };
  const clock = systemClock();
  const redactor = redact ? new Redactor() : undefined;
  const stream = redactor && new RedactedStream(redactor);
  const shown = (text: string) => redactor?.text(text) ?? text;
  const tell = (text: string) => writeStderr(`kstack: ${text}\n`);
  const recorder =
    recordTo === undefined
      ? undefined
      : new DirectoryRecorder({ directory: recordTo, bounds: BOUNDS, root, source, intervalMs, clock, tell, shown });
  return new LiveSource({
    intervalMs,
    clock,
    open: () => openSamplerProcess(root, wanted, ownCommand([])),
    shown: (sample) => {
      const some = selection.blocked === true ? leaveOutIdle(sample) : sample;
      return stream?.next(some) ?? some;
    },
    tell: (text) => tell(`no samples are taken: ${text}`),
    recorder,
  });
}
