import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { fixturePath, requires } from '../../test/harness.ts';
import { AIOCB } from './aio.ts';

it('knows where the C library keeps the fields of struct aiocb', (context) => {
  requires(context, 'compiler');
  expect(AIOCB).toEqual(JSON.parse(execFileSync(fixturePath('aiocb-layout')).toString()));
});
