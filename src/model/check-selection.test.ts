import { describe, expect, it } from 'vitest';
import { checkSampleOptions, checkSelection } from './check-selection.ts';

describe('checkSelection', () => {
  it.each([
    [{}],
    [{ all: true, threads: false, blocked: true }],
    [{ pids: [1, 2147483647], states: ['D', 't'], users: [0, 4294967294] }],
    [{ command: /^nginx/i, function: { source: 'x' }, cgroups: ['*.slice'], module: 'ext4' }],
  ])('takes %j', (selection) => {
    expect(() => checkSelection(selection)).not.toThrow();
  });

  it.each([
    [undefined, 'selection: undefined is not an object'],
    [null, 'selection: null is not an object'],
    [[1], 'selection: an array is not an object'],
    [{ state: ['D'] }, "selection.state: unknown key (did you mean 'states'?)"],
    [{ Pid: [1] }, "selection.Pid: unknown key (did you mean 'pids'?)"],
    [{ constructor: 1 }, /^selection\.constructor: unknown key; there are all, pids, states, threads, /],
    [JSON.parse('{"__proto__": 1}'), /^selection\.__proto__: unknown key; there are /],
    [{ fields: ['uid'] }, /^selection\.fields: unknown key; there are /],
    [{ pids: 7 }, 'selection.pids: 7 is not an array'],
    [{ pids: ['7'] }, 'selection.pids: "7" is not a whole number from 1 to 2147483647'],
    [{ pids: [0] }, 'selection.pids: 0 is not a whole number from 1 to 2147483647'],
    [{ pids: [1.5] }, 'selection.pids: 1.5 is not a whole number from 1 to 2147483647'],
    [{ pids: [Number.NaN] }, 'selection.pids: NaN is not a whole number from 1 to 2147483647'],
    [{ pids: [2 ** 31] }, 'selection.pids: 2147483648 is not a whole number from 1 to 2147483647'],
    // biome-ignore lint/suspicious/noSparseArray: it is what is tested
    [{ pids: [1, , 2] }, 'selection.pids: undefined is not a whole number from 1 to 2147483647'],
    [{ pids: [] }, 'selection.pids: an empty list selects nothing; leave the key out to select all'],
    [{ pids: undefined }, 'selection.pids: undefined is not an array'],
    [{ states: 'D' }, 'selection.states: "D" is not an array'],
    [{ states: ['d'] }, 'selection.states: "d" is not one of R S D I T t Z X P'],
    [{ users: ['root'] }, 'selection.users: "root" is not a whole number from 0 to 4294967294'],
    [{ users: [-1] }, 'selection.users: -1 is not a whole number from 0 to 4294967294'],
    [{ command: 'nginx' }, 'selection.command: "nginx" is not a regular expression'],
    [{ command: /nginx/g }, 'selection.command: /nginx/g may have the flags i, m and s, and no others'],
    [{ function: null }, 'selection.function: null is not a regular expression'],
    [{ module: '' }, 'selection.module: "" is not the name of a module'],
    [{ module: ['ext4'] }, 'selection.module: an array is not the name of a module'],
    [{ cgroups: '/system.slice' }, 'selection.cgroups: "/system.slice" is not an array'],
    [{ cgroups: [''] }, 'selection.cgroups: "" is not a name'],
    [{ cgroup: ['a'] }, "selection.cgroup: unknown key (did you mean 'cgroups'?)"],
    [{ threads: 1 }, 'selection.threads: 1 is neither true nor false'],
    [{ all: 'a\n'.repeat(100) }, `selection.all: "${'a\\n'.repeat(20).slice(0, 59)}... is neither true nor false`],
  ])('refuses %j', (selection, message) => {
    const refused = () => checkSelection(selection);
    expect(refused).toThrow(TypeError);
    expect(refused).toThrow(
      typeof message === 'string' ? new RegExp(`^${message.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`) : message,
    );
  });
});

describe('checkSampleOptions', () => {
  it('takes the fields there are, also none', () => {
    expect(() => checkSampleOptions({ fields: ['uid', 'cgroup', 'systemCall'] })).not.toThrow();
    expect(() => checkSampleOptions({ fields: [] })).not.toThrow();
    expect(() => checkSampleOptions({})).not.toThrow();
  });

  it.each([
    [{ field: ['uid'] }, "options.field: unknown key (did you mean 'fields'?)"],
    [{ fields: ['user'] }, 'options.fields: "user" is not one of uid cgroup namespacePid systemCall'],
    [{ source: 'ebpf' }, 'options.source: "ebpf" is not one of auto bpf procfs'],
    [{ root: 'proc' }, 'options.root: "proc" is not an absolute path'],
    [{ facts: 1 }, 'options.facts: 1 is neither true nor false'],
    [{ edges: 1 }, 'options.edges: 1 is neither true nor false'],
    [{ fields: 'uid' }, 'options.fields: "uid" is not an array'],
    ['uid', 'options: "uid" is not an object'],
  ])('refuses %j', (options, message) => {
    expect(() => checkSampleOptions(options)).toThrow(new TypeError(message));
  });
});
