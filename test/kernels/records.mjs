// What a guest recorded, read: its files, the lines of look.c, and kstack's classic text.
import { Buffer } from 'node:buffer';

/** What is not there while all tasks are looked at. */
const OTHERS = new Set(['mmap-lock', 'dm', 'dmfreeze', 'deadlock', 'flock', 'pipeline'].map((name) => `${name}.ready`));

/** The files of a guest, with what they say. */
export function recordsOf(contents, kernel) {
  const text = (name) => contents.get(name)?.toString('utf8') ?? '';
  const fixture = (name) => {
    const [, pids = '', from, to] = /^ready([ \d]*) from (\S+) to (\S+)/.exec(text(`${name}.ready`)) ?? [];
    if (from === undefined) throw new Error(`the fixture ${name} did not get ready: ${text(`${name}.ready`)}`);
    return { pids: pids.trim().split(' ').map(Number), from: Number(from), to: Number(to) };
  };
  return {
    kernel,
    text,
    fixture,
    get: (name) => contents.get(name) ?? Buffer.alloc(0),
    /** How a command ended, by its exit code, and when, in seconds since boot. */
    ran(name) {
      const [code, started, ended] = text(`${name}.run`).trim().split(' ');
      if (code === '') throw new Error(`${name} was not run`);
      return { code, started: Number(started), ended: Number(ended), seconds: Number(ended) - Number(started) };
    },
    /** The first PID of each fixture that lives from the start until the end. */
    fixtures() {
      const names = [...contents.keys()].filter((name) => name.endsWith('.ready') && !OTHERS.has(name));
      return names.map((name) => [name.replace('.ready', ''), fixture(name.replace('.ready', '')).pids[0]]);
    },
  };
}

/** The tasks of a look, by TID. */
export function parseLook(files, name) {
  const tasks = new Map();
  for (const line of files.text(name).trimEnd().split('\n')) {
    const [tid, pid, state, ppid, startTicks, , ...hex] = line.split('\t');
    const [comm, stack, commandLine] = hex.map((digits) => Buffer.from(digits, 'hex'));
    const numbers = { tid: Number(tid), pid: Number(pid), state, ppid: Number(ppid), startTicks: Number(startTicks) };
    const texts = { comm, stack: stack.toString().trim(), commandLine: commandLine.toString() };
    tasks.set(numbers.tid, { line, tid: numbers.tid, pid: numbers.pid, numbers, ...texts });
  }
  return tasks;
}

/** The tasks that did not run between two looks: whatever was seen of them in between must be the same. */
export function steadyTasks(files, name) {
  const after = parseLook(files, `${name}.after`);
  const before = [...parseLook(files, `${name}.before`).values()];
  return before.filter(({ tid, line, numbers }) => numbers.state !== 'R' && after.get(tid)?.line === line);
}

/** The bytes of a task's property, which are given where they are not UTF-8. */
export function bytesOf(task, property) {
  const raw = task.raw[property];
  return raw === undefined ? Buffer.from(task[property]) : Buffer.from(raw, 'hex');
}

/** Frames as the kernel prints them. */
export function framesText(frames) {
  const line = ({ symbol, offset, size, module }) => {
    const place = offset === null ? '' : `+0x${offset.toString(16)}/0x${size.toString(16)}`;
    return `[<0>] ${symbol}${place}${module === null ? '' : ` [${module}]`}`;
  };
  return frames.map(line).join('\n');
}

/** The processes of the classic text by PID: { state, started, command, stack }, without blanks at an end. */
export function parseText(text) {
  const [header, ...groups] = text.split(/\n\n+/);
  const separator = /^zzz <\w{3} \w{3} [ \d]\d [\d:]{8} UTC \d{4} - guest$/;
  if (!separator.test(header)) throw new Error(`not a separator line: ${header}`);
  const processes = new Map();
  for (const group of groups) {
    if (group === '') continue;
    const [heads, stack] = group.split(/^Stack:\n?/m);
    for (const head of heads.trimEnd().split('\n')) {
      const parts = /^PID: ( *\d+) {3}State: ( \S) {3}Start Time: (\S+ \S+|unknown) {3}Cmd: (.*)$/.exec(head);
      if (parts === null) throw new Error(`not a process line: ${head}`);
      const [, pid, state, started, command] = parts;
      const texts = { command: command.trim(), stack: (stack ?? '').trim() };
      processes.set(Number(pid), { state: state.trim(), started, ...texts });
    }
  }
  return processes;
}
