export function buildPackages(wanted: {
  readonly arch: 'x64' | 'arm64';
  readonly version: string;
  readonly epoch: number;
  readonly into: string;
}): Promise<string[]>;
export function sourceEpoch(): number;
