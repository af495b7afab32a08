import type { RolloutDeps } from './deps.js';
import { analyzeEngine } from './engines/analyze-engine.js';
import { engineKindOf } from './engines/engine-target.js';
import { rolloutStore } from './rollout-record.js';
import { runCommand } from './run-command.js';
import { isActive, isGoingBack, type RolloutState } from './state.js';
import { type Analyzed, type AnalyzeOptions, type OpenedState, StepAnalysis } from './step-analysis.js';
import { nameOf, type Verdict, withoutRollout } from './verdicts.js';

/**
 * Watches the step in force until the judge decides or the step's time is over, and sends users back at once when it decides against the
 * release. It does not hold the target's lease, so that a person can abort at any time; its writes are refused when somebody else wrote since.
 */
export async function analyze(deps: RolloutDeps, options: AnalyzeOptions): Promise<Analyzed> {
  const opened = await open(deps);
  const state = opened.stored?.value;
  const refusal = refuse(state, deps);
  if (refusal === 'finish') return finishAbort(deps, state as RolloutState);
  if (refusal) return { verdict: refusal, state, evidence: state?.evidence ?? null, judgement: state?.evidence?.judgement ?? null };
  const watched = state as RolloutState;
  return engineKindOf(watched.target)
    ? analyzeEngine(deps, options, opened, watched)
    : new StepAnalysis(deps, options, opened, watched).run();
}

async function open({ client, target }: RolloutDeps): Promise<OpenedState> {
  const store = rolloutStore(client.withSignal(undefined), target.namespace, target.workload);
  return { store, stored: await store.read() };
}

function refuse(state: RolloutState | undefined, { configHash }: RolloutDeps): Verdict | 'finish' | undefined {
  if (!isActive(state)) return withoutRollout(state, 'analyse');
  if (isGoingBack(state)) return 'finish';
  if (state.phase === 'promoting') {
    return {
      outcome: 'skipped',
      reason: 'PROMOTING',
      summary: `${nameOf(state)} is being promoted already.`,
      next: ['Run `promote` to finish it.'],
    };
  }
  if (state.stepStartedAt === null) {
    return {
      outcome: 'fail',
      reason: 'STEP_NOT_IN_FORCE',
      summary: `The step to ${state.weight} % is not in force yet; there is nothing to analyse.`,
      next: ['Run `start` or `step` again to bring it about.'],
    };
  }
  if (state.configHash !== configHash) {
    return {
      outcome: 'error',
      reason: 'CONFIG_CHANGED',
      summary: `The service's settings in slipway.yml are not those with which ${state.id} began; changing the rules while judging would void the verdict.`,
      next: ['Restore the settings, or run `abort` and begin anew.'],
    };
  }
  return undefined;
}

/** An abort that an earlier run began is finished; the answer is why it was begun. */
async function finishAbort(deps: RolloutDeps, { ended }: RolloutState): Promise<Analyzed> {
  const why = { reason: ended?.reason ?? 'ROLLOUT_ABORTED', summary: ended?.summary ?? 'It was being aborted.' };
  const { state } = await runCommand(deps, { kind: 'abort', ...why });
  return { verdict: { outcome: 'fail', ...why }, state, evidence: state?.evidence ?? null, judgement: state?.evidence?.judgement ?? null };
}
