import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, KSTACK, kstack, lineOf, run, testRequires } from '../harness.ts';

const root = join(import.meta.dirname, '../..');
const page = join(root, 'man/kstack.8');

interface Described {
  /** `-p PID[,PID...]`, `-v, --verbose` */
  readonly option: string;
  readonly standard: string | undefined;
}

async function inHelp(...command: string[]): Promise<Described[]> {
  const { stdout } = await kstack([...command, '-h']);
  return stdout
    .split(/\n(?= {2}-)/)
    .slice(1)
    .map((entry) => ({
      option: entry.trim().split(/ {2,}/)[0]?.replaceAll(/[<>]/g, '') ?? '',
      standard: /default:\s+"?([^",)]*)"?[,)]/.exec(entry)?.[1],
    }));
}

/** The tagged paragraphs of the manual's section on options. */
function inManual(): Described[] {
  const options =
    readFileSync(page, 'utf8')
      .split(/^\.SH OPTIONS$/m)[1]
      ?.split(/^\.SH /m)[0] ?? '';
  return options
    .split(/^\.TP$/m)
    .slice(1)
    .map((entry) => ({
      option: (entry.trim().split('\n')[0] ?? '')
        .replace(/^\.[BIR]+ /, '')
        .replaceAll(/\\f[RP]|"/g, '')
        .replaceAll('\\-', '-')
        .replaceAll(/ +/g, ' ')
        .replace(' , ', ', '),
      standard: /default: ([^)]*)\)/.exec(entry)?.[1],
    }));
}

const sorted = (described: Described[]) => described.toSorted((a, b) => (a.option < b.option ? -1 : 1));

describe('the manual page', () => {
  it('has the options of the help, with their values and defaults, and no others', async () => {
    expect(sorted(inManual())).toEqual(sorted(await inHelp()));
    const documented = new Set(inManual().map(({ option }) => option));
    for (const command of ['status', 'stop'])
      for (const { option } of await inHelp(command)) expect(documented).toContain(option);
  });

  it('has the commands of the help', async () => {
    const { stdout } = await kstack(['-h']);
    const commands = [...(stdout.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
    const section =
      readFileSync(page, 'utf8')
        .split(/^\.SH COMMANDS$/m)[1]
        ?.split(/^\.SH /m)[0] ?? '';
    const tags = [...section.matchAll(/^\.TP\n\.B (\w+)$/gm)];
    expect(tags.map(([, name]) => name)).toEqual(commands);
    const everywhere = new Set(inManual().map(({ option }) => option));
    const own = (await inHelp('explain')).map(({ option }) => option).filter((option) => !everywhere.has(option));
    expect(own).toContain('--why');
    for (const option of own) expect(section.replaceAll('\\-', '-')).toContain(`.B ${option}\n`);
  });

  it('and the usage name every way to select and every command, the usage within 80 columns', async () => {
    const { stdout } = await kstack(['-h']);
    const usage = stdout.split('\n\n')[0] ?? '';
    const synopsis = readFileSync(page, 'utf8')
      .split(/^\.SH /m)
      .find((section) => section.startsWith('SYNOPSIS'))
      ?.replaceAll(/\\(?=-)/g, '');
    const selecting = /\n {2}-a .*?(?=\n\n)/s.exec(stdout)?.[0] ?? '';
    const flags = [...selecting.matchAll(/^ {2}(--?\w+)/gm)].map(([, flag = '']) => flag);
    expect(flags).toContain('--state');
    const clustered = [...(/ -([A-Z]+) /.exec(usage)?.[1] ?? '')].map((letter) => `-${letter}`);
    for (const flag of flags) {
      expect([...clustered, ...usage.split(/[ |]+/)]).toContain(flag);
      expect(synopsis).toMatch(new RegExp(`(?<![\\w-])${flag}(?![\\w-])`));
    }
    for (const [, name] of (stdout.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}(\w+)/gm)) {
      expect(usage).toMatch(new RegExp(`(kstack|\\|) ${name}\\b`));
      expect(synopsis).toContain(`.B kstack ${name}`);
    }
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('is shown by help, too, and that of each command', async () => {
    expect((await kstack(['help'])).stdout).toBe((await kstack(['-h'])).stdout);
    expect((await kstack(['help', 'report'])).stdout).toBe((await kstack(['report', '-h'])).stdout);
  });

  it('describes the formats that there are', async () => {
    const { stderr } = await kstack(['-f', 'x']);
    const formats = /Allowed choices are (.*)\.$/m.exec(stderr)?.[1]?.split(', ');
    const section =
      readFileSync(page, 'utf8')
        .split(/^\.SH FORMATS$/m)[1]
        ?.split(/^\.SH /m)[0] ?? '';
    expect([...section.matchAll(/^\.TP\n\.B (\w+)$/gm)].map(([, name]) => name)).toEqual(formats);
  });

  it('names the ranges that the command enforces', async () => {
    const text = readFileSync(page, 'utf8');
    for (const option of ['-t', '-i', '-m', '-n', '-x']) {
      const { stderr } = await kstack(['-bD', option, 'x']);
      const [, least, most] = /takes a whole number from (\d+) to (\d+)/.exec(stderr) ?? [];
      expect(text).toMatch(
        new RegExp(`^\\.BI \\\\${option} "[^"]*"\n(?:.*\n)*?.*\\(${least} to ${most}, default: `, 'm'),
      );
    }
  });

  it('is shown by man without a warning, under both names', () => {
    testRequires('man');
    for (const name of ['kstack.8', 'oled-kstack.8']) {
      // The second includes the first by a path from the root of the manual, as it is installed.
      const command = `d=$(mktemp -d) && mkdir $d/man8 && cp ${root}/man/*.8 $d/man8 && cd $d && man --warnings -l man8/${name} 2>warnings && cat warnings >&2; rm -r $d`;
      const shown = spawnSync('sh', ['-c', command], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
      expect(shown.stdout.toString()).toMatch(/^KSTACK\(8\)/);
      expect(shown.stderr.toString()).toBe('');
    }
  });

  it('and docs/options.md speak of the same options', async () => {
    const options = readFileSync(join(root, 'docs/options.md'), 'utf8').split('\n## ')[0] ?? '';
    const table = [...options.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(-[^`]*)`/g)].map(([, option]) => option?.replaceAll('\\|', '|')),
    );
    const help = (await inHelp()).flatMap(({ option }) => option.split(', '));
    expect(new Set(table)).toEqual(new Set(help));
  });
});

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const textOf = (document: string) => readFileSync(join(root, document), 'utf8');
const withoutCode = (markdown: string) => markdown.replaceAll(/^ *```.*?^ *```$/gms, '');

/** The targets of the links in a document: its own path for `#anchor`, absolute addresses left out. */
function linksOf(document: string): { path: string; anchor: string | undefined }[] {
  const targets = [...withoutCode(textOf(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split('#');
      return { path: path ? join(dirname(document), path) : document, anchor };
    });
}

/** The anchors that GitHub gives to the headings of a document. */
function anchorsOf(document: string): string[] {
  return [...withoutCode(textOf(document)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('the documentation', () => {
  it('has a README of at most 1,000 words, code left out', () => {
    expect(withoutCode(textOf('README.md')).trim().split(/\s+/).length).toBeLessThanOrEqual(1000);
  });

  it.each(documents)('%s links to files and headings that exist', (document) => {
    for (const { path, anchor } of linksOf(document)) {
      expect([path, existsSync(join(root, path))]).toEqual([path, true]);
      if (anchor !== undefined) expect(anchorsOf(path)).toContain(anchor);
    }
  });

  it('has every page of docs/ linked in the README', () => {
    const linked = linksOf('README.md').map(({ path }) => path);
    for (const page of documents.filter((document) => document.startsWith('docs/'))) expect(linked).toContain(page);
  });

  it('shows command lines with options that exist', async () => {
    const names = [
      'why',
      'status',
      'stop',
      'record',
      'bundle',
      'report',
      'diff',
      'convert',
      'explain',
      'serve',
      'sql',
      'metrics',
      'schema',
      'ship',
      'completion',
    ];
    const commands = [[], ...names.map((name) => [name])];
    const described = (await Promise.all(commands.map((command) => inHelp(...command)))).flat();
    const flags = new Set(described.flatMap(({ option }) => option.match(/(?<![\w-])--?\w+/g) ?? []));
    const used = documents.flatMap((document) =>
      [...textOf(document).matchAll(/(?<=^|[\s`(])kstack((?: [^\n`'|;&<>#]*)?)/gm)].flatMap(([, words = '']) =>
        (words.match(/(?<= )-(-[a-z]+|[A-Za-z]+)(?![\w-])/g) ?? []).flatMap((word) =>
          word.startsWith('--') ? [word] : [...word.slice(1)].map((letter) => `-${letter}`),
        ),
      ),
    );
    expect(used.length).toBeGreaterThan(30);
    expect(used.filter((flag) => !flags.has(flag))).toEqual([]);
  });

  it('names the folders of src in docs/design.md, and no others', () => {
    const [, layout = ''] = /^src\/\n((?: +.*\n)*)/m.exec(textOf('docs/design.md')) ?? [];
    const named = [...layout.matchAll(/^ {2}(\w+)\/ /gm)].map(([, folder]) => folder);
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(named.sort()).toEqual(folders.map(({ name }) => name).sort());
  });
});

describe('the service', () => {
  const unit = join(root, 'systemd/kstack.service');

  it('is one that systemd accepts', () => {
    testRequires('systemd-analyze');
    expect(execFileSync('systemd-analyze', ['verify', '--man=no', unit], { stdio: 'pipe' }).toString()).toBe('');
  });

  it('records every thread, and allows the system calls of both sources', () => {
    testRequires('systemd-analyze');
    const text = readFileSync(unit, 'utf8');
    // Without a selection, that is every thread.
    expect(text).toMatch(/^Environment="RECORD_OPTIONS=-i 10 --max-size 200M"$/m);
    expect(text).toMatch(/^ExecStart=.* kstack record -d \/var\/log\/kstack \$RECORD_OPTIONS$/m);
    const [, filter = ''] = /^SystemCallFilter=(.*)$/m.exec(text) ?? [];
    const lines = execFileSync('systemd-analyze', ['syscall-filter']).toString();
    // The sets of systemd, as far as they name each other.
    const callsOf = (name: string): string[] => {
      if (!name.startsWith('@')) return [name];
      const set = lines.split(`\n${name}\n`)[1]?.split('\n@')[0] ?? '';
      return [...set.matchAll(/^ {4}(@?[\w-]+)$/gm)].flatMap(([, member = '']) => callsOf(member));
    };
    const allowed = new Set(filter.split(' ').flatMap(callsOf));
    for (const call of ['bpf', 'openat', 'read', 'io_submit', 'statfs', 'fchown', 'linkat'])
      expect(allowed).toContain(call);
  });

  it('has the capabilities that it takes to see the stacks of everybody, and no more', async () => {
    testRequires('root');
    const [, list = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(readFileSync(unit, 'utf8')) ?? [];
    const capabilities = list.split(' ').map((name) => name.replace('CAP_', '').toLowerCase());
    const [pid = 0] = await fixture('tasks', ['vfork-of-nobody']);
    const withOnly = async (kept: string[]) => {
      const set = ['-all', ...kept.map((name) => `+${name}`)].join(',');
      const ended = await run('setpriv', [
        '--no-new-privs',
        `--bounding-set=${set}`,
        `--inh-caps=${set}`,
        KSTACK,
        // By bpf, fewer would do.
        '--source',
        'procfs',
        '-Dp',
        String(pid),
      ]);
      // Other tests may have threads in D.
      return { ...ended, stderr: ended.stderr.replace(/^kstack: \d+ more threads? .*: use -L\n/m, '') };
    };
    const { code, stdout, stderr } = await withOnly(capabilities);
    expect([code, stderr]).toEqual([0, '']);
    expect(lineOf(stdout, pid)?.stack).toContain('__do_sys_vfork');
    // For /dev/kmsg, where kernel.dmesg_restrict is set.
    expect(capabilities).toContain('syslog');
    for (const dropped of capabilities.filter((name) => name !== 'syslog'))
      expect((await withOnly(capabilities.filter((name) => name !== dropped))).stderr).not.toBe('');
  });
});
