import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { fixture, fixturePath, KSTACK, kstack, namedThread, needs, shell, temporaryFolder } from './harness.ts';
import { Tmux } from './tmux.ts';

const HOSTILE = '\x1b[2J\x1b]0;x\x07\u202ehi';

/** Runs top on a terminal. Behind it come its exit code, and whether the terminal is in its usual mode. */
const top = (args: string, options: { columns?: number; rows?: number; env?: string } = {}): Tmux =>
  new Tmux(
    `${options.env ?? ''} ${KSTACK} top ${args}; echo "ended $?"; stty -a | grep -o '.icanon'; exec sh -i`,
    options,
  );

/** The PID of kstack below a shell of tmux: its only child. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')[0]);
}

/** A recording of a task that has several samples, however long each takes here. */
async function recordingOf(pid: number): Promise<string> {
  for (let seconds = 1.5; ; seconds *= 2) {
    const file = join(temporaryFolder(), 'r.kstack');
    const { stderr } = await kstack(['record', '-o', file, '-p', `${pid}`, '-i', '0.1', '--for', `${seconds}s`]);
    if (Number(/: (\d+) samples?, /.exec(stderr)?.[1]) > 4) return file;
  }
}

describe('kstack top', () => {
  beforeEach(needs('root', 'compiler', 'tmux'));

  it('leads from a group to a task and its stack, and to the verdict, and gives the terminal back', async () => {
    const [parent = 0, child = 0] = await fixture('tasks', ['vfork']);
    const screen = top(`-p ${parent},${child} -i 0.2`);
    await screen.until(/ 1 {2}D .* its vfork child to exec or exit .* tasks$/m);
    expect(screen.isOtherScreen()).toBe(true);
    screen.press('Enter');
    const group = await screen.until(/^stack +\S/m);
    expect(group).toMatch(new RegExp(`^ +${parent} +${parent} D .* tasks `, 'm'));
    screen.press('Enter');
    const task = await screen.until(/the newest first/);
    expect(task).toMatch(new RegExp(`^${parent}/${parent} tasks {2}state D`, 'm'));
    expect(task).toMatch(/^ +__do_sys_vfork\+0x/m);
    await screen.until(/ to [\d:]+ +([2-9]|\d\d) x {2}D {2}waits for its vfork child/);
    screen.press('w');
    await screen.until(new RegExp(`wait(s)?.* for ${child} tasks|${child} tasks, which`));
    screen.press('Escape');
    await screen.until(/the newest first/);
    screen.press('q');
    await screen.until(/^ended 0\n icanon/m);
    expect(screen.isOtherScreen()).toBe(false);
  });

  it('shows tasks that get stuck and free while it runs', async () => {
    // Of a name that no other test has.
    const name = `top-${process.pid}`;
    symlinkSync(fixturePath('tasks'), fixturePath(name));
    onTestFinished(() => rmSync(fixturePath(name)));
    const screen = top(`-c '^${name}$' -i 0.2`);
    await screen.until(/No task/);
    const [parent = 0, child = 0] = await fixture(name, ['vfork']);
    await screen.until(/its vfork child/);
    process.kill(child, 'SIGKILL');
    await screen.until((text) => !text.includes('its vfork child'));
    expect(parent).toBeGreaterThan(0);
  });

  it.each([
    ['Ctrl-C', 130, (screen: Tmux) => screen.press('C-c')],
    ['SIGTERM', 143, (screen: Tmux) => void process.kill(childOf(screen.pid), 'SIGTERM')],
    ['SIGHUP', 129, (screen: Tmux) => void process.kill(childOf(screen.pid), 'SIGHUP')],
  ])('gives the terminal back on %s', async (_, code, end) => {
    const screen = top('-p 1 -i 0.2');
    await screen.until(/^by stack/m);
    end(screen);
    await screen.until(new RegExp(`^ended ${code}\n icanon`, 'm'));
    expect(screen.isOtherScreen()).toBe(false);
  });

  it('stops on Ctrl-Z and goes on in the foreground', async () => {
    const screen = new Tmux('sh -i');
    screen.type(`set -m; PS1='$ '; ${KSTACK} top -p 1 -i 0.2\n`);
    await screen.until(/^by stack/m);
    screen.press('C-z');
    await screen.until((text) => /Stopped/.test(text));
    expect(screen.isOtherScreen()).toBe(false);
    screen.type('stty -a | grep -o .icanon; fg\n');
    await screen.until(/^by stack/m);
    expect(screen.isOtherScreen()).toBe(true);
    screen.press('C-z');
    await screen.until((text) => (text.match(/Stopped/g) ?? []).length === 2);
    // The key is there as soon as kstack reads again.
    screen.type('fg\nq');
    await screen.until((text) => !screen.isOtherScreen() && /^\$$/m.test(text.trimEnd()));
    screen.type('stty -a | grep -o .icanon\n');
    const end = await screen.until(/^ icanon(.|\n)*^ icanon/m);
    expect(screen.isOtherScreen()).toBe(false);
    expect(end).not.toMatch(/by stack/);
  });

  it('fits into any terminal, also when its size changes', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const screen = top(`-p ${parent} -i 0.2`, { columns: 80, rows: 24 });
    await screen.until(/its vfork child/);
    for (const [columns, rows] of [
      [30, 6],
      [300, 100],
      [10, 2],
      [100, 30],
    ] as const) {
      screen.resize(columns, rows);
      await pause(700);
      expect(screen.screen().split('\n').length).toBeLessThanOrEqual(rows + 1);
    }
    await screen.until(/its vfork child/);
  });

  it('says on 30 columns what tasks wait for, and all of the verdict', async () => {
    const [parent = 0, child = 0] = await fixture('tasks', ['vfork']);
    const screen = top(`-p ${parent},${child} -i 0.2`, { columns: 30, rows: 30 });
    await screen.until(/^ {4}1 {2}its vfork child to /m);
    screen.press('w');
    await screen.until((text) =>
      /wait(s)?, directly or through others, for \d+ tasks/.test(text.replaceAll(/\s+/g, ' ')),
    );
  });

  it('leaves the mouse to the terminal at a key', async () => {
    const screen = top(`-p ${process.pid} -i 0.2`);
    await screen.until(/by stack/);
    screen.press('m');
    await screen.until(/the mouse selects text; m: the wheel moves again/);
    screen.press('m');
    await screen.until(/^the wheel moves/m);
  });

  it('has no colour with NO_COLOR, and shows what is selected all the same', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const plain = top(`-p ${parent} -i 0.2`, { env: 'NO_COLOR=1' });
    await plain.until(/its vfork child/);
    expect(plain.screen({ styled: true })).not.toContain('\x1b[31m');
    expect(plain.screen({ styled: true })).toContain('\x1b[7m');
    const coloured = top(`-p ${parent} -i 0.2`);
    await coloured.until(/its vfork child/);
    coloured.press('a');
    await coloured.until((text) => text.includes('its vfork child'));
    expect(coloured.screen({ styled: true })).toContain('\x1b[31m');
  });

  it('shows hostile names as text', async () => {
    const [pid, tid] = await namedThread(HOSTILE.slice(0, 15));
    const screen = top(`-L -p ${tid} -i 0.2`);
    await screen.until(/^by stack/m);
    screen.press('a');
    await screen.until(/ 1 {2}S /);
    screen.press('Enter');
    const text = await screen.until(new RegExp(`^ +${pid} +${tid} `, 'm'));
    expect(text).toContain('\\x1b[2J');
    expect(text).toMatch(/^by|^escape/m);
  });

  it('filters while somebody types', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const screen = top(`-p ${parent} -i 0.2`);
    await screen.until(/its vfork child/);
    screen.type('/nothing-like-it');
    await screen.until(/^\/nothing-like-it_/m);
    screen.press('Enter');
    await screen.until(/No task shown has 'nothing-like-it' in it \(a: all tasks\)\./);
    screen.press('Escape');
    await screen.until(/its vfork child/);
  });

  it('pauses, steps back and forward, and goes on', async () => {
    await fixture('tasks', ['vfork']);
    const screen = top('-a -i 0.2');
    // A bar for each sample.
    await screen.until(/^blocked now .*[▁-█]{4}/m);
    screen.press('Left');
    const paused = await screen.until(/paused at (\d+) of \d+/);
    const at = Number(/paused at (\d+)/.exec(paused)?.[1]);
    screen.press('Left');
    await screen.until(new RegExp(`paused at ${at - 1} of`));
    screen.press('Right');
    await screen.until(new RegExp(`paused at ${at} of`));
    screen.press('Space');
    await screen.until(/every 0.2 s/);
  });

  it('records from a key on into a file that report reads', async () => {
    const folder = temporaryFolder();
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const screen = new Tmux(`cd ${folder} && ${KSTACK} top -p ${parent} -i 0.2`);
    await screen.until(/its vfork child/);
    screen.press('r');
    await screen.until(/recording \([2-9]\d*\)/);
    screen.press('r');
    await screen.until((text) => !/recording \(/.test(text));
    const [file = ''] = readdirSync(folder);
    expect(file).toMatch(/^kstack-top-\d{8}T\d{6}Z\.kstack$/);
    const { code, stdout } = await kstack(['report', join(folder, file)]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('waits for its vfork child')]);
    expect(shell(`stat -c %a ${join(folder, file)}`)).toBe('600');
  });

  it('replays a recording with the same keys', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const file = await recordingOf(parent);
    const screen = top(`-i 0.1 ${file}`);
    await screen.until(/this is the end|^.* {2}end$/m);
    expect(screen.screen()).toContain('its vfork child');
    screen.press('Left', 'Left', 'Left');
    await screen.until(/paused at/);
    screen.press('Enter', 'Enter');
    await screen.until(new RegExp(`^${parent}/${parent} tasks`, 'm'));
    screen.press('q');
    await screen.until(/^ended 0/m);
  });

  it('goes on on a host where reading the command line of a task hangs', async () => {
    const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
    const screen = top('-i 0.2');
    await screen.until(/\d+ D/);
    const times = new Set<string>();
    for (let look = 0; look < 100 && times.size < 3; look++) {
      times.add(/\d\d:\d\d:\d\d/.exec(screen.screen())?.[0] ?? '');
      await pause(200);
    }
    expect(times.size).toBeGreaterThanOrEqual(3);
    screen.type(`/${pid}`);
    screen.press('Enter');
    await screen.until(/^ +\d+ {2}D/m);
    screen.press('q');
    await screen.until(/^ended 0/m);
  });

  it('writes plain blocks where there is no terminal, and with --batch', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const { code, stdout, stderr } = await kstack(['top', '-p', String(parent), '-n', '3', '-i', '0.2']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.match(/^TASKS {2}ST /gm)).toHaveLength(3);
    expect(stdout.match(/ 1 {2}D .* its vfork child to exec or exit/g)).toHaveLength(3);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
  });

  it('writes plain blocks on a terminal that cannot move its cursor', async () => {
    const screen = top('-p 2 -i 60', { env: 'TERM=dumb' });
    // No key is read, so none is offered.
    await screen.until(/^No task is blocked or running\.$/m);
  });

  it('says what is wrong with files, options and privileges', async () => {
    const missing = await kstack(['top', '/nonexistent']);
    expect([missing.code, missing.stdout]).toEqual([1, '']);
    expect(missing.stderr).toContain('/nonexistent');
    const wrong = await kstack(['top', '--from', '03:00']);
    expect([wrong.code, wrong.stderr.split('\n')[0]]).toEqual([2, "kstack: '--from' applies to files"]);
    const zero = await kstack(['top', '-n', '0']);
    expect(zero.code).toBe(2);
    const denied = await kstack(['top', '-n', '1'], { uid: 65534, gid: 65534, cwd: '/' });
    expect([denied.code, denied.stderr]).toEqual([1, expect.stringContaining('cannot read kernel stacks')]);
  });
});
