import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { DATA_MARK, PAGE } from '../sinks/page.ts';
import type { Access } from './access.ts';
import type { MetricsPage } from './metrics-page.ts';
import type { PageRecorder, StreamSource } from './source.ts';

const HEADER_BYTES = 8192;
const HEADERS_MS = 5000;
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 5000;
const MOST_CONNECTIONS = 64;
const MOST_PAGES = 8;

/** What HTTPS needs, as PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Serves the page to everybody, and samples and metrics to those who have the token. Nothing else is there. */
export async function createWebServer(
  access: Access,
  source: StreamSource,
  certificate: Certificate | undefined,
  metrics: MetricsPage | undefined,
): Promise<Server> {
  const page = new Page(source.kind);
  let pages = 0;
  const answer: RequestListener = (request, response) => {
    for (const [name, value] of Object.entries(page.headers)) response.setHeader(name, value);
    if (!access.isOwn(request.headers)) return refuse(response, 403, 'This server has no such name.');
    const isOrder = source.recorder !== undefined && ORDERS.has(request.url ?? '');
    if (request.method !== (isOrder ? 'POST' : 'GET')) return refuse(response, 405, 'That is not possible here.');
    if (hasBody(request)) return refuse(response, 413, 'A request has no content here.');
    if (request.url === '/') {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(page.html);
      return;
    }
    const isMetrics = metrics !== undefined && request.url === '/metrics';
    if (request.url !== '/events' && !isOrder && !isMetrics) return refuse(response, 404, 'Not found.');
    if (!access.hasToken(request.headers)) return refuse(response, 401, 'The token is missing or wrong.');
    if (isOrder) return order(source.recorder, request.url, response);
    if (isMetrics) return void metrics.serve(request.headers.accept, response);
    if (pages >= MOST_PAGES) return refuse(response, 503, 'Too many pages are open.');
    pages++;
    response.once('close', () => pages--);
    response.setHeader('content-type', 'text/event-stream; charset=utf-8');
    response.setHeader('x-accel-buffering', 'no');
    response.flushHeaders();
    source.serve(response);
  };
  const limits = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 1000,
  };
  const server =
    certificate === undefined
      ? createServer(limits, answer)
      : (await import('node:https')).createServer({ ...limits, ...certificate }, answer);
  server.maxConnections = MOST_CONNECTIONS;
  return server;
}

/** Only these words are in a request: where a recording goes is on the command line. */
const [START, STOP] = ['/recording/start', '/recording/stop'];
const ORDERS: ReadonlySet<string> = new Set([START, STOP]);

/** The page learns from its events what became of it. */
function order(recorder: PageRecorder | undefined, url: string | undefined, response: ServerResponse): void {
  if (url === START) recorder?.start();
  else void recorder?.stop();
  response.writeHead(204);
  response.end();
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(`${text}\n`);
}

/** The page without data, and what the browser is told beside it. */
class Page {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(kind: StreamSource['kind']) {
    const [before = '', after = ''] = PAGE.split(DATA_MARK);
    this.html = `${before}<script type="text/plain" id="stream">${kind}</script>\n${after}`;
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(PAGE)?.[1] ?? "default-src 'none'";
    this.headers = {
      'content-security-policy': `${policy}; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    };
  }
}
