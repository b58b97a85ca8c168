import type { Finding } from '../../model/finding.ts';
import { escapeInvalid } from '../../model/raw-text.ts';
import type { Stack } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { signatureOf } from '../signature.ts';
import { hashOf } from './hash.ts';
import type { Row } from './tables.ts';
import { safe } from './task-row.ts';

export function stackKey({ frames }: Stack): bigint {
  return hashOf(frames.flatMap(({ symbol, offset, size, module }) => [symbol, offset, size, module]));
}

export function stackRow(key: bigint, stack: Stack): Row<'stacks'> {
  const { frames } = stack;
  const functions = frames.map(({ symbol }) => escapeInvalid(functionName(symbol))).join(';');
  return { stack: key, signature: signatureOf(stack), depth: frames.length, functions };
}

export function* frameRows(key: bigint, { frames }: Stack): Generator<Row<'frames'>> {
  for (const [position, { symbol, offset, size, module }] of frames.entries())
    yield {
      stack: key,
      position,
      function: escapeInvalid(functionName(symbol)),
      symbol: escapeInvalid(symbol),
      offset_bytes: offset ?? null,
      size_bytes: size ?? null,
      module: safe(module),
    };
}

export function findingRow(finding: Finding): Row<'findings'> {
  const { rule, kind, waitsFor, within, frame, causes, next, undo, source } = finding;
  const row = {
    rule: rule ?? null,
    kind,
    waits_for: escapeInvalid(waitsFor),
    within: safe(within),
    function: safe(frame?.symbol),
    causes,
    next: next.map(escapeInvalid).join('\n'),
    undo: undo.map(escapeInvalid).join('\n'),
    source: source ?? null,
  };
  return { finding: hashOf(Object.values(row)), ...row };
}
