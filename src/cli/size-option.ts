import { InvalidArgumentError } from 'commander';

const UNIT_BYTES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Takes a size such as 500M; `least` says what is the smallest one, and `examples` what to give. */
export function sizeParser(leastBytes: number, least: string, examples: string): (text: string) => number {
  return (text) => {
    const [, digits, unit = ''] = /^(\d{1,9})([KMGT])$/i.exec(text) ?? [];
    const bytes = Number(digits) * (UNIT_BYTES[unit.toUpperCase()] ?? Number.NaN);
    if (bytes >= leastBytes) return bytes;
    throw new InvalidArgumentError(`Give ${least} or more, such as ${examples}.`);
  };
}
