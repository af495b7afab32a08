import { type Contract, positionalForms } from '@slipway/core';
import { commandNames } from './commands.js';

/** What `slipway --help` prints. */
export function helpText(contracts: readonly Contract[]): string {
  const rows = contracts.map((contract) => [usage(contract), summary(contract)] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    'Safe releases for GitHub Actions and Kubernetes.',
    '',
    'Usage: slipway COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    '',
    'Every command takes --json (the result as JSON) and --help (its options).',
    'Exit codes: 0 pass or skipped, 1 fail, 2 error in use or configuration, 3 hold (undecided).',
    '',
  ].join('\n');
}

function usage(contract: Contract): string {
  return [contract.name, ...positionalForms(contract)].join(' ');
}

function summary(contract: Contract): string {
  const [, ...others] = commandNames(contract);
  return others.length === 0 ? contract.description : `${contract.description} (Also: ${others.join(', ')}.)`;
}
