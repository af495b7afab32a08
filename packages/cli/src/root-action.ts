import { type Contract, inputVariable, positionalForms, quoteValue, runMain, suggestion, UsageError } from '@slipway/core';
import { commandNames, findCommand } from './commands.js';
import { contracts as allContracts } from './contracts.js';
import { type LoadFamily, loadFamily } from './families.js';
import { rootContract } from './root-contract.js';

interface Setting {
  env: Record<string, string | undefined>;
  contracts: readonly Contract[];
  load: LoadFamily;
}

const setting = (): Setting => ({ env: process.env, contracts: allContracts, load: loadFamily });

/** What the `command` input asks for: a command and its inputs given by position, or what is wrong with it. */
export type Request = { command: Contract; values: Readonly<Record<string, string>> } | { problem: string; allowed: string };

/** Reads `canary-deploy start` as the command `canary-deploy` with its first positional input set to `start`. */
export function parseRequest(text: string, contracts: readonly Contract[]): Request {
  const [name = '', ...rest] = text.trim().split(/\s+/);
  const found = findCommand(name, contracts);
  if (!found) {
    const names = contracts.flatMap(commandNames);
    return { problem: `${quoteValue(name)} is not a command${suggestion(name, names)}`, allowed: names.join(', ') };
  }
  const { contract: command, given } = found;
  const words = [...given, ...rest];
  const values: Record<string, string> = {};
  for (const positional of command.cli?.positionals ?? []) {
    // A list by position takes all that follows.
    const taken = words.splice(0, command.inputs[positional]?.kind === 'list' ? words.length : 1);
    if (taken.length > 0) values[positional] = taken.join('\n');
  }
  if (words.length > 0) {
    const form = [command.name, ...positionalForms(command)].join(' ');
    return { problem: `${quoteValue(words.join(' '))} is too much`, allowed: form };
  }
  return { command, values };
}

/** Runs the command as a step of a job. */
export async function rootMain({ env, contracts, load } = setting()): Promise<void> {
  const request = parseRequest(env[inputVariable('command')] ?? '', contracts);
  if ('problem' in request) return refuse(request);
  handOver(request.values, env);
  const { main } = await load(request.command.family);
  return main(request.command.name);
}

/** Runs the command's part after the job's last step, if it has one. */
export async function rootPost({ env, contracts, load } = setting()): Promise<void> {
  const request = parseRequest(env[inputVariable('command')] ?? '', contracts);
  if ('problem' in request || !request.command.post) return;
  handOver(request.values, env);
  const { post } = await load(request.command.family);
  return post(request.command.name);
}

/** Ends as every action does that was used wrongly. A missing command is told from the contract. */
function refuse({ problem, allowed }: { problem: string; allowed: string }): Promise<void> {
  return runMain({
    contract: rootContract,
    main: () =>
      Promise.reject(new UsageError([{ where: 'command', message: problem, allowed, example: rootContract.inputs.command.example }])),
  });
}

/** Sets the inputs given by position. The root's own `command` is taken away: to the command, an input of that name is its own. */
function handOver(values: Readonly<Record<string, string>>, env: Setting['env']): void {
  delete env[inputVariable('command')];
  for (const [name, value] of Object.entries(values)) env[inputVariable(name)] = value;
}
