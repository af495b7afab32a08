import { type Contract, suggestion } from '@slipway/core';
import { commandNames, findCommand } from './commands.js';
import { contracts } from './contracts.js';
import { type LoadFamily, loadFamily } from './families.js';
import { helpText } from './help.js';

export interface CommandLine {
  /** Printed by `--version`. */
  version: string;
  out: (text: string) => void;
  err: (text: string) => void;
  contracts: readonly Contract[];
  load: LoadFamily;
}

const defaults: Omit<CommandLine, 'version'> = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  contracts,
  load: loadFamily,
};

/**
 * Runs `slipway COMMAND …`. Returns the exit code of what it answered itself (help, version, an unknown command), and undefined
 * when a command ran, which then has set the process's exit code.
 */
export async function runCommandLine(
  argv: readonly string[],
  options: Pick<CommandLine, 'version'> & Partial<CommandLine>,
): Promise<number | undefined> {
  const { version, out, err, contracts, load } = { ...defaults, ...options };
  const [first, second, ...others] = argv;
  if (first === 'help' && second !== undefined) return runCommandLine([second, '--help', ...others], options);
  if (first === undefined) {
    err(helpText(contracts));
    return 2;
  }
  if (['--help', '-h', 'help'].includes(first)) {
    out(helpText(contracts));
    return 0;
  }
  if (first === '--version' || first === '-V') {
    out(`${version}\n`);
    return 0;
  }
  const command = findCommand(first, contracts);
  if (first.startsWith('-')) {
    err(`slipway: ${JSON.stringify(first)} stands before the command; options follow it: slipway COMMAND [OPTIONS]\n`);
    return 2;
  }
  if (!command) {
    const hint = suggestion(first, contracts.flatMap(commandNames));
    err(`slipway: there is no command ${JSON.stringify(first)}${hint}\n\n${helpText(contracts)}`);
    return 2;
  }
  const { contract, given } = command;
  const { cli } = await load(contract.family);
  await cli(contract.name, [...given, ...argv.slice(1)]);
  return undefined;
}
