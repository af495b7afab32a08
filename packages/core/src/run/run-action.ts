import { watchSignals } from '../cancellation.js';
import type { Action, Context } from '../context.js';
import type { Contract } from '../contract.js';
import { UsageError } from '../errors.js';
import { inputsFromEnvironment, type RawInputs, secretValues } from '../inputs.js';
import { exitCode } from '../result.js';
import { savedState, saveState, writeOutputs, writeSummary } from '../runner/files.js';
import { createLog, type RunLog } from '../runner/log.js';
import { endProcess, type Host, ignoreBrokenPipes, processHost } from './host.js';
import { makeContext } from './make-context.js';
import { logEnding, outputValues, stackOf, summaryMarkdown } from './report.js';
import { settle } from './settle.js';

/**
 * Runs an action as a step of a job: inputs from the environment, result in log, outputs and summary. The process ends with the exit code
 * of the outcome.
 */
export async function runMain<C extends Contract>(action: Action<C>, host: Host = processHost()): Promise<void> {
  const { contract } = action;
  await inRunner(host, contract, async (raw, context, log) => {
    const settled = await settle(contract, action.main, raw, context);
    logEnding(log, settled);
    keep(log, 'outputs', () => writeOutputs(host.env, outputValues(contract, settled)));
    keep(log, 'summary', () => writeSummary(host.env, summaryMarkdown(settled.result, settled.ending?.report)));
    return exitCode(settled.result.outcome);
  });
}

/**
 * Runs the action's part after the job's last step. It never fails the job: what goes wrong is a warning. Wrong inputs are passed over,
 * because `main` has reported them.
 */
export async function runPost<C extends Contract>(action: Action<C>, host: Host = processHost()): Promise<void> {
  const { contract, post } = action;
  if (!post) return;
  await inRunner(host, contract, async (raw, context, log) => {
    const { result, ending, error } = await settle(contract, post, raw, context);
    if (error instanceof UsageError) log.debug(result.summary);
    else if (result.outcome === 'pass' || result.outcome === 'skipped') log.info(result.summary);
    else log.conclude('warning', [`${result.summary} [${result.reason}]`, ...result.next].join('\n'), { title: `${contract.name} (post)` });
    if (result.reason === 'DEFECT') log.info(stackOf(error));
    if (ending?.report && result.outcome !== 'skipped')
      keep(log, 'summary', () => writeSummary(host.env, summaryMarkdown(result, ending.report)));
    return 0;
  });
}

type Body = (raw: RawInputs, context: Context, log: RunLog) => Promise<number>;

async function inRunner(host: Host, contract: Contract, body: Body): Promise<void> {
  ignoreBrokenPipes(host);
  const log = runnerLog(host);
  const raw = inputsFromEnvironment(contract, host.env);
  for (const secret of secretValues(contract, raw)) log.mask(secret);
  // The runner sends SIGINT once; a second one comes from a person at a terminal who has waited long enough.
  const { signal, stop } = watchSignals(host.signals, () => host.exit(130));
  const state = {
    get: (name: string) => savedState(host.env, name),
    set: (name: string, value: string) => saveState(host.env, name, value),
  };
  const code = await body(raw, makeContext(host, log, signal, state), log);
  log.close();
  stop();
  await endProcess(host, code);
}

/** In a job, lines and commands on stdout; elsewhere plain lines on stderr. */
function runnerLog({ env, stdout, stderr }: Host): RunLog {
  const runner = env.GITHUB_ACTIONS === 'true';
  return createLog({
    runner,
    verbose: env.RUNNER_DEBUG === '1',
    line: (text) => void (runner ? stdout : stderr).write(`${text}\n`),
  });
}

/** A full disk or a missing file must not hide the result, which the log has. */
function keep(log: RunLog, what: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    log.warning(`The ${what} could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
