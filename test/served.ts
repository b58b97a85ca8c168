import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { BROWSER, type Ended, ended, KSTACK } from './harness.ts';

export interface Served {
  readonly child: ChildProcess;
  readonly end: Promise<Ended>;
  readonly url: string;
  readonly token: string;
  readonly port: number;
}

/** Starts `kstack serve`, which ends with the test. */
export async function serve(...args: string[]): Promise<Served> {
  const { child, end } = startServe(...args);
  const url = await firstLine(child, end);
  const { port, hash } = new URL(url);
  return { child, end, url, token: hash.replace('#token=', ''), port: Number(port) };
}

export function startServe(...args: string[]): Pick<Served, 'child' | 'end'> {
  const child = spawn(KSTACK, ['serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = ended(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await end;
  });
  return { child, end };
}

export function firstLine({ stdout }: ChildProcess, end: Promise<Ended>): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    let text = '';
    stdout?.on('data', (bytes: Buffer) => {
      text += bytes;
      if (text.endsWith('\n')) resolve(text.trim());
    });
    void end.then(({ code, stderr }) => reject(new Error(`serve ended with ${code}: ${stderr}`)));
  });
}

/** The port of 127.0.0.1 that a process waits on. */
export function listeningPort({ pid = 0 }: ChildProcess): number {
  const sockets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    const found = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
    return found?.[1] ?? [];
  });
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n')) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    if (state === '0A' && sockets.includes(inode)) return Number.parseInt(local.split(':')[1] ?? '', 16);
  }
  throw new Error(`process ${pid} waits on no port`);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Asks, and reads to the end or until `enough` says so. */
export function ask(
  { ca, ...options }: RequestOptions & { readonly ca?: string; readonly servername?: string },
  enough: (text: string) => boolean = () => false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = ca === undefined ? httpRequest : httpsRequest;
    const asked = request({ host: '127.0.0.1', agent: false, ...options, ...(ca && { ca }) }, (response) => {
      let text = '';
      const done = () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      response.on('data', (bytes: Buffer) => {
        text += bytes;
        if (!enough(text)) return;
        done();
        response.destroy();
      });
      response.on('end', done);
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
export const samplesIn = (text: string) => text.split('\n').filter((line) => line.startsWith('data: {"sample"')).length;
export const hasSample = (text: string) => /^data: \{"sample".*\n\n/m.test(text);

/** The PIDs of a process's children. */
export function childrenOf({ pid = 0 }: ChildProcess): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8').split(' ').filter(Boolean),
  );
}

/** The CPU time of a process and of those it has waited for, in ticks of the kernel. */
export function cpuTicks(pid: number | string = 0): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(/\) (?!.*\) )/);
  const [user = 0, system = 0, usersOfChildren = 0, systemOfChildren = 0] = fields.split(' ').slice(11, 15).map(Number);
  return user + system + usersOfChildren + systemOfChildren;
}

/** What a connection to a port of 127.0.0.1 has not yet been sent. */
export function unsentBytes(port: number, clientPort = 0): number {
  const hexOf = (number: number) => number.toString(16).toUpperCase().padStart(4, '0');
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, local = '', remote = '', , queues = ''] = line.trim().split(/\s+/);
    if (local.endsWith(`:${hexOf(port)}`) && remote.endsWith(`:${hexOf(clientPort)}`))
      return Number.parseInt(queues, 16);
  }
  throw new Error(`nobody is connected from port ${clientPort}`);
}

/**
 * Opens a page in a browser of its own, which ends with the test.
 * @param args of the browser
 */
export async function open(url: string, ...args: string[]): Promise<{ page: Page; complaints: string[] }> {
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox', ...args] });
  onTestFinished(() => browser.close());
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const complaints: string[] = [];
  const { origin } = new URL(url);
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin)
      complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}
