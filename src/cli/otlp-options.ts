import { type Command, Option } from 'commander';
import { notEmpty } from './background-options.ts';

/** Adds the options about a receiver to a command. @param what it is sent */
export function addOtlpOptions(command: Command, what: string): void {
  command
    .addOption(
      // Without a parser: its errors repeat what was given, and so a password.
      new Option('--otlp <URL>', `${what} a receiver of OTLP over HTTP: http://localhost:4318`),
    )
    .addOption(
      new Option(
        '--otlp-headers <FILE>',
        'its headers, NAME: VALUE on each line; only you may read the file',
      ).argParser(notEmpty),
    )
    .addOption(
      new Option('--otlp-ca-file <FILE>', 'certificates, as PEM, of who may vouch for it').argParser(notEmpty),
    );
}
