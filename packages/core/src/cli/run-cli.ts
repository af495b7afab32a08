import { watchSignals } from '../cancellation.js';
import type { Action, Context } from '../context.js';
import type { Contract } from '../contract.js';
import type { Problem } from '../errors.js';
import { secretValues } from '../inputs.js';
import { mdPlain } from '../markdown.js';
import { exitCode } from '../result.js';
import { endProcess, type Host, ignoreBrokenPipes, processHost } from '../run/host.js';
import { makeContext } from '../run/make-context.js';
import { logEnding, plainReport } from '../run/report.js';
import { type Settled, settle } from '../run/settle.js';
import { createLog, type RunLog } from '../runner/log.js';
import { safeJson, safeJsonText, safeLines } from '../runner/safe-text.js';
import { type CommandArguments, parseArguments } from './arguments.js';
import { commandHelp } from './help.js';

/**
 * Runs an action as a command of the shell; `argv` is what follows the command's name. The log goes to stderr, the result to stdout: for people,
 * or as one line of JSON with `--json`. The process ends with the exit code of the outcome.
 */
export async function runCli<C extends Contract>(action: Action<C>, argv: readonly string[], host: Host = processHost()): Promise<void> {
  ignoreBrokenPipes(host);
  const log = terminalLog(host);
  const { signal, stop } = watchSignals(host.signals, () => host.exit(130));
  const context = makeContext(host, log, signal, memoryState());
  const { command, settled } = await runCommand(action, argv, context, log);
  if (command.help) host.stdout.write(commandHelp(action.contract));
  else if (settled) print(host, log, settled, command.json);
  log.close();
  stop();
  await endProcess(host, settled ? exitCode(settled.result.outcome) : 0);
}

interface Ran {
  command: CommandArguments;
  /** Absent when only help was asked for. */
  settled?: Settled;
}

async function runCommand<C extends Contract>(action: Action<C>, argv: readonly string[], context: Context, log: RunLog): Promise<Ran> {
  const { contract, main } = action;
  let command: CommandArguments = { raw: {}, json: argv.includes('--json'), help: false };
  try {
    command = parseArguments(contract, argv);
  } catch (error) {
    const refuse = () => Promise.reject(error);
    return { command, settled: await settle({ ...contract, inputs: {} }, refuse, {}, context) };
  }
  if (command.help) return { command };
  for (const secret of secretValues(contract, command.raw)) context.mask(secret);
  const settled = await settle(contract, main, command.raw, context, (problem) => asOption(contract, problem));
  await cleanUp(action, command, context, log);
  settled.result.next = settled.result.next.map((step) => withOptions(contract, step));
  return { command, settled };
}

/** "Set the input `file`" is said of a step of a workflow. */
function withOptions({ inputs }: Contract, text: string): string {
  return text.replace(/\binput `([a-z-]+)`/g, (said, name) => (Object.hasOwn(inputs, name) ? `option \`--${name}\`` : said));
}

/** In a shell an input is an option, unless it is given by its position. */
function asOption({ inputs, cli }: Contract, problem: Problem): Problem {
  const isOption = problem.file === undefined && Object.hasOwn(inputs, problem.where) && !cli?.positionals?.includes(problem.where);
  return isOption ? { ...problem, where: `--${problem.where}` } : problem;
}

/** What the runner does after a job: the action's `post`, with a signal of its own, since the first may have aborted. */
async function cleanUp<C extends Contract>(
  { contract, post }: Action<C>,
  command: CommandArguments,
  context: Context,
  log: RunLog,
): Promise<void> {
  if (!post) return;
  const { result, error } = await settle(contract, post, command.raw, { ...context, signal: new AbortController().signal });
  // Wrong inputs have been reported by main.
  if (result.reason === 'USAGE' && error !== undefined) return;
  if (result.outcome === 'pass') log.info(result.summary);
  else if (result.outcome !== 'skipped') log.warning(`${result.summary} [${result.reason}]`);
}

function print(host: Host, log: RunLog, settled: Settled, json: boolean): void {
  const { result, ending } = settled;
  if (!json) {
    if (settled.error !== undefined) logEnding(log, settled);
    else host.stdout.write(`${safeLines(plainReport(result, ending, mdPlain)).join('\n')}\n`);
    return;
  }
  if (settled.error !== undefined) logEnding(log, settled);
  host.stdout.write(ending?.stdout === undefined ? `${safeJson(result)}\n` : safeOutput(ending.stdout));
}

/** The lines of a command's own output: JSON stays the same JSON. */
function safeOutput(text: string): string {
  const lines = text.replace(/\n+$/, '').split('\n');
  return lines.map((line) => `${/^[{["]/.test(line) ? safeJsonText(line) : safeLines(line).join('\n')}\n`).join('');
}

/** Plain lines on stderr, also in a job: stdout is the command's answer. Progress rewrites its line in a terminal. */
function terminalLog({ env, stderr }: Host): RunLog {
  const line = (text: string) => void stderr.write(`${text}\n`);
  const verbose = env.RUNNER_DEBUG === '1' || env.SLIPWAY_DEBUG === '1';
  if (!stderr.isTTY) return createLog({ runner: false, verbose, line });
  const rewrite = (text: string) => void stderr.write(`\r\u001b[2K${text.slice(0, (stderr.columns ?? 80) - 1)}`);
  return createLog({ runner: false, verbose, line, rewrite });
}

function memoryState(): Context['state'] {
  const values = new Map<string, string>();
  return { get: (name) => values.get(name), set: (name, value) => void values.set(name, value) };
}
