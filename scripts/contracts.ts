import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Contract } from '@slipway/core';
import { root } from './node24.mjs';

/** Every folder of actions/ with a contract is an action: the one list that bundles, manifests and documents are made from. */
export async function readContracts(): Promise<Contract[]> {
  const actions = join(root, 'actions');
  const names = readdirSync(actions).filter((name) => existsSync(join(actions, name, 'contract.ts')));
  const contracts: Contract[] = [];
  // One after the other: Jest's loader fails when modules that share imports are loaded at once.
  for (const name of names.sort()) contracts.push(await readContract(name));
  return contracts;
}

async function readContract(name: string): Promise<Contract> {
  const module = await import(`../actions/${name}/contract.ts`);
  const contract = module.contract as Contract | undefined;
  if (contract?.name !== name) throw new Error(`actions/${name}/contract.ts must export a \`contract\` with the name ${name}`);
  return contract;
}
