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
        'a file of headers for it, NAME: VALUE on each line, that nobody else can read',
      ).argParser(notEmpty),
    )
    .addOption(new Option('--otlp-ca-file <FILE>', 'CA certificates to trust for it, as PEM').argParser(notEmpty));
}
