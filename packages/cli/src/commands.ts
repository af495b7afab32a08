import type { Contract } from '@slipway/core';

/** The command called `name`, by its own name, an alias or a shortcut, and the arguments that this name stands for. */
export function findCommand(name: string, contracts: readonly Contract[]): { contract: Contract; given: readonly string[] } | undefined {
  for (const contract of contracts) {
    if ([contract.name, ...(contract.cli?.aliases ?? [])].includes(name)) return { contract, given: [] };
    const shortcuts = contract.cli?.shortcuts ?? {};
    if (Object.hasOwn(shortcuts, name)) return { contract, given: shortcuts[name] ?? [] };
  }
  return undefined;
}

/** The command's name, then its aliases and shortcuts. */
export function commandNames(contract: Contract): string[] {
  return [contract.name, ...(contract.cli?.aliases ?? []), ...Object.keys(contract.cli?.shortcuts ?? {})];
}
