/** A C type as far as calls need it. Anything with a star is a pointer; `const char *` takes strings, too. */
export type CType = 'void' | 'int' | 'unsigned int' | 'long' | 'size_t' | 'pointer' | 'string';

export interface Declaration {
  readonly name: string;
  readonly result: CType;
  readonly parameters: readonly CType[];
}

const TYPES: Readonly<Record<string, CType>> = {
  void: 'void',
  int: 'int',
  pid_t: 'int',
  'unsigned int': 'unsigned int',
  uint32_t: 'unsigned int',
  long: 'long',
  ssize_t: 'long',
  int64_t: 'long',
  size_t: 'size_t',
  'unsigned long': 'size_t',
  uint64_t: 'size_t',
};

/**
 * Parses a C function's declaration, such as `int openat(int directory, const char *path, int flags)`.
 * @throws Error naming an unsupported type
 */
export function parseDeclaration(declaration: string): Declaration {
  const [, result = '', name = '', list = ''] = /^([\w\s]+?[\s*]+)(\w+)\((.*)\)$/.exec(declaration) ?? [];
  if (name === '') throw new Error(`not a function declaration: '${declaration}'`);
  const typeOf = (text: string) => {
    const words = text.replace(/\s+/g, ' ').trim();
    if (words.includes('*')) return /^const char ?\*$/.test(words) ? 'string' : 'pointer';
    const type = TYPES[words];
    if (type === undefined) throw new Error(`unsupported type '${words}' in '${declaration}'`);
    return type;
  };
  const parameters = list
    .split(',')
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter !== '' && parameter !== 'void')
    .map((parameter) => typeOf(parameter.replace(/(?<=[\s*])\w+$/, (word) => (word in TYPES ? word : ''))));
  return { name, result: result.includes('*') ? 'pointer' : typeOf(result), parameters };
}
