import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { formatBashCompletion } from '../../src/cli/completion/bash.ts';
import type { ProgramDescription } from '../../src/cli/completion/description.ts';
import { formatFishCompletion } from '../../src/cli/completion/fish.ts';
import { formatZshCompletion } from '../../src/cli/completion/zsh.ts';
import { ended, KSTACK, kstack, needs, run, temporaryFolder } from '../harness.ts';

/** A shell that completes the command line of kstack. */
interface Shell {
  /** Where it stands. */
  readonly folder: string;
  /** All that it offers at the end of the line, without descriptions. */
  offers(line: string): Promise<string[]>;
  /** What it shows of the offers: with descriptions, where the shell has them. */
  shows(line: string): Promise<string>;
}

/** On the screen, the end of what it showed. */
const SHOWN = '::shown::';

/** An interactive shell in a terminal of its own, whose key ^G writes down the line and empties it. */
class TerminalShell implements Shell {
  readonly folder: string;
  readonly #log: string;
  readonly #child: ChildProcess;
  readonly #offerAll: string;
  readonly #list: string;
  #screen = '';
  #answers = 0;

  private constructor(folder: string, command: string, keys: { offerAll: string; list: string }) {
    this.folder = folder;
    this.#log = join(folder, '.answers');
    this.#offerAll = keys.offerAll;
    this.#list = keys.list;
    writeFileSync(this.#log, '');
    this.#child = spawn('script', ['-qfc', `stty cols 200 rows 500; exec ${command}`, '/dev/null'], {
      cwd: folder,
      env: environment(folder, this.#log),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#screen += bytes;
    });
    const end = ended(this.#child);
    onTestFinished(async () => {
      this.#child.kill('SIGKILL');
      await end;
    });
  }

  static async bash({ setUp = '', load = 'source <(kstack completion bash)' } = {}): Promise<TerminalShell> {
    const folder = newFolder();
    writeFileSync(
      join(folder, '.bashrc'),
      `${setUp}
${load}
PS1='' PROMPT_COMMAND='echo >>$ANSWERS; PROMPT_COMMAND='
bind 'set completion-query-items 0'; bind 'set page-completions off'; bind 'set enable-bracketed-paste off'
answer() { printf '%s\\n' "$READLINE_LINE" >>$ANSWERS; READLINE_LINE=''; echo ${SHOWN}; }
bind -x '"\\C-g": answer'
bind '"\\C-x*": insert-completions'
`,
    );
    return new TerminalShell(folder, 'bash --noprofile --rcfile .bashrc -i', {
      offerAll: '\x18*',
      list: '\t\t',
    }).#ready();
  }

  static async zsh({ setUp = '', load = 'source <(kstack completion zsh)' } = {}): Promise<TerminalShell> {
    const folder = newFolder();
    writeFileSync(
      join(folder, '.zshrc'),
      `${setUp}
autoload -Uz compinit && compinit -u -D
${load}
PS1='' LISTMAX=100000
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
zle -C all-matches complete-word _generic
bindkey '^X*' all-matches '^D' list-choices
answer() { print -r -- "$BUFFER" >>$ANSWERS; BUFFER=''; zle -R; print ${SHOWN}; }
zle -N answer
bindkey '^G' answer
ready() { print >>$ANSWERS; zle -D zle-line-init; }
zle -N zle-line-init ready
`,
    );
    return new TerminalShell(folder, 'zsh -d -i', { offerAll: '\x18*', list: '\x04' }).#ready();
  }

  async #ready(): Promise<this> {
    await this.#answer();
    return this;
  }

  async offers(line: string): Promise<string[]> {
    const completed = await this.completed(line, this.#offerAll);
    const kept = line.slice(0, line.lastIndexOf(' ') + 1);
    expect(completed.slice(0, kept.length)).toBe(kept);
    const offered = completed.slice(kept.length).trim();
    // Where it has nothing to offer, the line stays as it is.
    return completed === line ? [] : offered.split(/(?<!\\) +/);
  }

  async shows(line: string): Promise<string> {
    this.#screen = '';
    await this.completed(line, this.#list);
    await this.#until(() => this.#screen.includes(SHOWN));
    return this.#screen;
  }

  /** The line after a key; by default, the one that completes. */
  completed(line: string, key = '\t'): Promise<string> {
    this.#child.stdin?.write(`${line}${key}\x07`);
    return this.#answer();
  }

  async #answer(): Promise<string> {
    const index = this.#answers++;
    const lines = () => readFileSync(this.#log, 'utf8').split('\n');
    await this.#until(() => lines().length > index + 1);
    return lines()[index] ?? '';
  }

  async #until(condition: () => boolean): Promise<void> {
    const started = performance.now();
    while (!condition()) {
      if (performance.now() - started > 10_000)
        throw new Error(`the shell does not answer; its screen: ${JSON.stringify(this.#screen)}`);
      await sleep(5);
    }
  }
}

/** Fish says itself what it would complete. It is started for each line. */
class Fish implements Shell {
  readonly folder = newFolder();
  readonly #load: string;

  constructor(load = 'source .completion.fish') {
    this.#load = load;
  }

  static async start(): Promise<Fish> {
    const fish = new Fish();
    writeFileSync(join(fish.folder, '.completion.fish'), (await kstack(['completion', 'fish'])).stdout);
    return fish;
  }

  async offers(line: string): Promise<string[]> {
    const shown = await this.shows(line);
    return shown === ''
      ? []
      : shown
          .trimEnd()
          .split('\n')
          .map((entry) => entry.split('\t')[0] ?? '');
  }

  async shows(line: string): Promise<string> {
    const script = `${this.#load}; complete -C $argv[1]`;
    const { stdout, stderr } = await run('fish', ['-c', script, line], {
      cwd: this.folder,
      env: environment(this.folder, ''),
    });
    expect(stderr).toBe('');
    return stdout;
  }
}

function environment(folder: string, answers: string): NodeJS.ProcessEnv {
  return {
    PATH: `${folder}/.bin:${process.env['PATH']}`,
    HOME: folder,
    ZDOTDIR: folder,
    TERM: 'dumb',
    LC_ALL: 'C.UTF-8',
    ANSWERS: answers,
  };
}

/** A home with the command under both of its names, and with what there is to complete. */
function newFolder(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '.bin'));
  for (const name of ['kstack', 'oled-kstack']) symlinkSync(resolve(KSTACK), join(folder, '.bin', name));
  mkdirSync(join(folder, 'folder one'));
  writeFileSync(join(folder, 'file one'), '');
  writeFileSync(join(folder, 'hostile$(touch ran)'), '');
  // Of what hangs on a sick host, or asks others, nothing is to be called.
  for (const name of ['ps', 'pgrep', 'getent', 'id'])
    writeFileSync(join(folder, '.bin', name), `#!/bin/sh\ntouch ${folder}/ran\n`, { mode: 0o755 });
  return folder;
}

interface InHelp {
  readonly flags: readonly string[];
  readonly commands: readonly string[];
}

/** What is in the help of the commands, by their names; all shells are asked for the same. */
const helps = new Map<string, Promise<InHelp>>();

function inHelp(command = ''): Promise<InHelp> {
  const known = helps.get(command);
  if (known !== undefined) return known;
  const read = readHelp(command);
  helps.set(command, read);
  return read;
}

/** The options and commands in the help of a command. */
async function readHelp(command: string): Promise<InHelp> {
  const { stdout } = await kstack([...(command === '' ? [] : [command]), '-h']);
  const options = [...stdout.matchAll(/^ {2}(-\S.*)$/gm)].map(([, entry = '']) => entry.split(/ {2,}/)[0] ?? '');
  const flags = options.flatMap((option) => [...option.matchAll(/(?<=^|, )--?[\w-]+/g)].map(([flag]) => flag));
  const commands = [...(stdout.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name);
  return { flags, commands };
}

const PIDS = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

const bashCompletion = 'source /usr/share/bash-completion/bash_completion';

const shells: [string, () => Promise<Shell>][] = [
  ['bash', () => TerminalShell.bash()],
  ['bash with bash-completion', () => TerminalShell.bash({ setUp: bashCompletion })],
  ['bash with strict settings', () => TerminalShell.bash({ setUp: 'set -u; shopt -s failglob nullglob; IFS=,' })],
  ['zsh', () => TerminalShell.zsh()],
  ['zsh with strict settings', () => TerminalShell.zsh({ setUp: 'setopt ksharrays shwordsplit nomatch noclobber' })],
  ['fish', () => Fish.start()],
];

const CONTROL = /\p{Cc}/gu;

/** What is offered at the end of a line, sorted. */
const LINES: [string, string[]][] = [
  ['kstack st', ['status', 'stop']],
  ['oled-kstack st', ['status', 'stop']],
  ['kstack -v st', ['status', 'stop']],
  ['kstack --verbose st', ['status', 'stop']],
  ['kstack -R st', []],
  ['kstack -R --proc /proc st', []],
  ['kstack -c a:b st', []],
  ['kstack -c st', []],
  ['kstack --wh', []],
  ['kstack explain --wh', ['--why']],
  ['kstack status f', []],
  ['kstack --state ', ['D', 'I', 'P', 'R', 'S', 'T', 'X', 'Z', 't']],
  ['kstack --state RDSITZX', ['RDSITZXP', 'RDSITZXt']],
  ['kstack --state=RDSITZX', ['--state=RDSITZXP', '--state=RDSITZXt']],
  ['kstack -u dae', ['daemon']],
  ['kstack -u root,0,dae', ['root,0,daemon']],
  ['kstack --user=dae', ['--user=daemon']],
  ['kstack --user=root,dae', ['--user=root,daemon']],
  [`kstack -p ${process.pid}`, [`${process.pid}`]],
  [`kstack -p 1,${process.pid}`, [`1,${process.pid}`]],
  [`kstack -LDp ${process.pid}`, [`${process.pid}`]],
  [`kstack -LDp1,${process.pid}`, [`-LDp1,${process.pid}`]],
  ['kstack -p 1x', []],
  ['kstack -d f', ['folder one']],
  ['kstack status -d f', ['folder one']],
  ['kstack --proc=f', ['--proc=folder one']],
  ['kstack explain f', ['file one', 'folder one']],
  ['kstack explain hos', ['hostile$(touch ran)']],
  ['kstack explain file f', ['file one', 'folder one']],
  ['kstack completion ', ['bash', 'fish', 'zsh']],
  ['kstack completion bash ', []],
];

const needsShells = needs('bash, bash-completion, zsh, fish and script');

describe.each(shells)('the completion of %s', (name, start) => {
  beforeEach(needsShells);

  it('offers every command and every option of the help', async () => {
    const shell = await start();
    const { flags, commands } = await inHelp();
    expect(new Set(await shell.offers('kstack '))).toEqual(new Set(commands));
    expect((await shell.offers('kstack -')).toSorted()).toEqual(flags.toSorted());
    for (const command of commands) {
      const offered = await shell.offers(`kstack ${command} -`);
      expect([command, ...offered.toSorted()]).toEqual([command, ...(await inHelp(command)).flags.toSorted()]);
    }
  });

  it('completes commands, options, their values and operands', async () => {
    const shell = await start();
    for (const [line, expected] of LINES) {
      const offered = (await shell.offers(line)).map((word, index) =>
        restored(line, word.replaceAll('\\', '').replace(/\/$/, ''), index),
      );
      // With nothing else to offer, zsh offers the options.
      const wanted = / -\S*$/.test(line) ? offered : offered.filter((word) => !word.startsWith('-'));
      expect([line, ...wanted.toSorted()]).toEqual([line, ...expected]);
    }
    expect(existsSync(join(shell.folder, 'ran'))).toBe(false);
  });

  it('runs nothing of what is typed or what a process is called, and shows no control character of a name', async () => {
    const shell = await start();
    const names = ['$(touch ran)', '`touch ran`', "';touch ran;'", 'a\tb\x1b[7m:\\'];
    for (const hostile of names) {
      const program = join(shell.folder, hostile);
      copyFileSync('/bin/sleep', program);
      const child = spawn(program, ['60'], { stdio: 'ignore' });
      const end = ended(child);
      onTestFinished(async () => {
        child.kill();
        await end;
      });
      const shown = await shell.shows(`kstack -p ${String(child.pid).slice(0, -1)}`);
      expect(shown).toContain(String(child.pid));
      expect(shown).not.toContain('\x1b[7m');
      if (!name.startsWith('bash')) expect(shown).toContain(hostile.replaceAll(CONTROL, '?'));
    }
    for (const typed of ['$(touch ran)', '`touch ran`', 'a;touch ran'])
      for (const before of [
        '-u ',
        '--user=',
        '-p ',
        '--state ',
        '--state=',
        '-d ',
        'explain ',
        'completion ',
        '-c x ',
        '-',
      ])
        await shell.shows(`kstack ${before}'${typed}`.replace("'", typed.includes(';') ? "'" : ''));
    expect(existsSync(join(shell.folder, 'ran'))).toBe(false);
  });

  it('offers all of very many processes, soon', async () => {
    const shell = await start();
    const many = spawn('sh', ['-c', 'for i in $(seq 600); do sleep 60 & done; echo; wait'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const end = ended(many);
    onTestFinished(async () => {
      process.kill(-(many.pid ?? Number.NaN), 'SIGKILL');
      await end;
    });
    await new Promise((ready) => many.stdout.once('data', ready));
    const before = new Set(PIDS());
    const started = performance.now();
    const offered = new Set(await shell.offers('kstack -p '));
    expect(performance.now() - started).toBeLessThan(5000);
    const stayed = PIDS().filter((pid) => before.has(pid));
    expect(stayed.length).toBeGreaterThan(600);
    expect(stayed.filter((pid) => !offered.has(pid))).toEqual([]);
  });
});

/**
 * The word as a whole: of --option=one two, bash inserts the second without what readline takes for a word of its own.
 */
function restored(line: string, word: string, index: number): string {
  const [option] = /(?<= )--\w+=/.exec(line) ?? [''];
  return index === 0 || word.startsWith(option) ? word : option + word;
}

describe.each([
  ['zsh', () => TerminalShell.zsh()],
  ['fish', () => Fish.start()],
] as [string, () => Promise<Shell>][])('%s', (_, start) => {
  beforeEach(needsShells);

  it('shows what options, commands and processes are', async () => {
    const shell = await start();
    expect(await shell.shows('kstack --th')).toMatch(/--threads\s+(-- )?every thread/);
    expect(await shell.shows('kstack -')).toMatch(/-Z +(-- )?zombies|-Z\tzombies/);
    expect(await shell.shows('kstack s')).toMatch(/stop\s+(-- )?Stop the active background run/);
    expect(await shell.shows(`kstack -p ${process.pid}`)).toMatch(/\bnode/);
  });
});

describe('the completion', () => {
  beforeEach(needsShells);

  it('works where shells look for it by themselves', async () => {
    const zsh = await TerminalShell.zsh({
      setUp: 'fpath=($HOME/functions $fpath); mkdir functions; kstack completion zsh >functions/_kstack',
      load: '',
    });
    expect(await zsh.completed('kstack --st')).toBe('kstack --state=');
    expect(await zsh.completed('oled-kstack exp')).toBe('oled-kstack explain ');
    const folder = '~/.local/share/bash-completion/completions';
    const bash = await TerminalShell.bash({
      setUp: `mkdir -p ${folder}; kstack completion bash >${folder}/kstack; ln -s kstack ${folder}/oled-kstack`,
      load: bashCompletion,
    });
    expect(await bash.completed('oled-kstack exp')).toBe('oled-kstack explain ');
    expect(await bash.completed('sudo kstack --st')).toBe('sudo kstack --state ');
    const kstackFish = '~/.config/fish/completions/kstack.fish';
    const fish = new Fish(
      `mkdir -p ~/.config/fish/completions; kstack completion fish >${kstackFish}; ln -sf kstack.fish (dirname ${kstackFish})/oled-kstack.fish`,
    );
    expect(await fish.offers('kstack --st')).toEqual(['--state']);
    expect(await fish.offers('oled-kstack exp')).toEqual(['explain']);
    expect(await new Fish('kstack completion fish | source').offers('kstack --st')).toEqual(['--state']);
  });

  it('completes in bash where = does not break words', async () => {
    const bash = await TerminalShell.bash({ setUp: 'COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:]}' });
    expect(await bash.completed('kstack --user=root,dae')).toBe('kstack --user=root,daemon ');
    expect(await bash.completed('kstack explain --user=root fi')).toBe('kstack explain --user=root file\\ one ');
  });

  it('quotes in bash and zsh what it completes a file to', async () => {
    for (const shell of [await TerminalShell.bash(), await TerminalShell.zsh()]) {
      expect(await shell.completed('kstack explain hos')).toBe('kstack explain hostile\\$\\(touch\\ ran\\) ');
      expect(await shell.completed('kstack -d fo')).toBe('kstack -d folder\\ one/');
      expect(await shell.completed('kstack explain "fi')).toBe('kstack explain "file one" ');
    }
  });

  it('takes descriptions and choices as they are', async () => {
    const nasty = `it's [a] "$(touch ran)" \`touch ran\` $HOME: b\\c`;
    const words = ['text', "it's", 'a b', '$(touch ran)', 'c:d'];
    const program: ProgramDescription = {
      name: '',
      description: nasty,
      executables: ['kstack'],
      beforeCommand: ['-v'],
      options: [
        { flags: ['-f', '--format'], description: nasty, value: { name: 'A:B', kind: 'choice', words } },
        { flags: ['-o'], description: nasty },
      ],
      operands: [],
      commands: [
        {
          name: 'go',
          description: nasty,
          options: [],
          operands: [{ value: { name: 'FILE', kind: 'file' }, repeats: true }],
        },
        { name: 'up', description: nasty, options: [], operands: [] },
      ],
    };
    const scripts = temporaryFolder();
    const written = (name: string, text: string) => {
      writeFileSync(join(scripts, name), text);
      return `source ${join(scripts, name)}`;
    };
    const zsh = await TerminalShell.zsh({ load: written('zsh', formatZshCompletion(program)) });
    const fish = new Fish(written('fish', formatFishCompletion(program)));
    const bash = await TerminalShell.bash({ load: written('bash', formatBashCompletion(program)) });
    for (const shell of [zsh, fish]) {
      expect(await shell.shows('kstack -')).toContain(nasty);
      expect(await shell.shows('kstack ')).toContain(nasty);
    }
    expect((await fish.offers('kstack -f ')).toSorted()).toEqual(words.toSorted());
    const quoted = ['text', "it\\'s", 'a\\ b', '\\$\\(touch\\ ran\\)', 'c:d'];
    expect((await zsh.offers('kstack --format ')).toSorted()).toEqual(quoted.toSorted());
    expect(await bash.offers('kstack -f te')).toEqual(['text']);
    for (const shell of [zsh, fish, bash]) {
      expect((await shell.offers('kstack go x fi')).map((word) => word.replace('\\', ''))).toEqual(['file one']);
      expect(existsSync(join(shell.folder, 'ran'))).toBe(false);
    }
  });

  it.each([[['completion']], [['completion', 'tcsh']]])('is wrong usage without one known shell: %j', async (args) => {
    const { code, stdout, stderr } = await kstack(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/bash.*zsh.*fish/);
  });
});
