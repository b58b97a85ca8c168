import { Buffer } from 'node:buffer';
import { decodeBytes } from '../../../native/decode.ts';
import { isObject } from '../own/fields.ts';

export type Properties = Readonly<Record<string, unknown>>;

/** The journal writes a text that is not UTF-8 as an array of bytes, and several of one name as an array of texts. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  // OpenTelemetry says of each value what it is.
  if (isObject(value)) return textOf(value['stringValue']);
  if (!Array.isArray(value) || value.length === 0) return undefined;
  if (value.every(isByte)) return decodeBytes(Buffer.from(value));
  const texts = value.flatMap((each: unknown) => (Array.isArray(each) ? (textOf(each) ?? []) : each));
  return texts.every((each) => typeof each === 'string') ? texts.join('\n') : undefined;
}

function isByte(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255;
}

export function numberIn(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,20}(?:\.\d{1,9})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}
