import type { Sample, Source } from '../../model/sample.ts';

/** The same samples, each with how its tasks were read, unless it says so itself. */
export async function* withSource(
  samples: AsyncGenerator<Sample, never>,
  source: Source,
): AsyncGenerator<Sample, never> {
  for (;;) yield { source, ...(await samples.next()).value };
}
