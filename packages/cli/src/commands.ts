import type { Contract } from '@slipway/core';

/** The command called `name`, or an alias of it. */
export function findCommand(name: string, contracts: readonly Contract[]): Contract | undefined {
  return contracts.find((contract) => commandNames(contract).includes(name));
}

/** The command's name, then its aliases. */
export function commandNames(contract: Contract): string[] {
  return [contract.name, ...(contract.cli?.aliases ?? [])];
}
