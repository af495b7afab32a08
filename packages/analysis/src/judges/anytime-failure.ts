import type { JudgeSettings } from '../judge-config.js';
import { finiteExp, logSumExp } from '../log-sum.js';
import type { AnytimeState, Failure } from './anytime-state.js';
import { errorLimitEvidence } from './error-limit.js';
import { singleBadPod } from './pod-scope.js';
import { signalEvidence } from './signal.js';

/** Parts of the budget; with the error limit's 0.1 they sum to 1. What a metric without data does not use stays at its stake. */
const weights = { errors: 0.5, latency: 0.4 };
const logLimitWeight = Math.log(0.1);
const components = ['standard', 'catastrophic', 'history'] as const;

interface Part {
  metric: Failure['metric'];
  component: Failure['component'];
  signal: number | null;
  log: number;
}

/** Every component's evidence times its weight, as logs. */
function parts(state: AnytimeState): Part[] {
  const { spent } = state.prior;
  const latencyWeight = weights.latency / (state.signals.length - 1);
  const all: Part[] = [
    { metric: 'error-limit', component: 'limit', signal: null, log: logLimitWeight + errorLimitEvidence(state.limit, spent) },
  ];
  state.signals.forEach((signal, index) => {
    const weight = Math.log(signal.metric === 'errors' ? weights.errors : latencyWeight);
    const evidence = signalEvidence(signal, spent);
    for (const component of components) all.push({ metric: signal.metric, component, signal: index, log: evidence[component] + weight });
  });
  return all;
}

/** The evidence per metric and in all, as e-values; `fail` is `total` reaching 1/α. */
export function evidenceOf(state: AnytimeState, settings: JudgeSettings): Record<string, { evidence: number; limit: number }> {
  const all = parts(state);
  const limit = 1 / settings.alpha;
  const sum = (some: Part[]) => ({ evidence: finiteExp(logSumExp(some.map(({ log }) => log))), limit });
  const of = (metric: Part['metric']) => sum(all.filter((part) => part.metric === metric));
  const result: Record<string, { evidence: number; limit: number }> = { total: sum(all), errors: of('errors') };
  if (state.signals.length > 1) result.latency = of('latency');
  if (state.steps.some((step) => step.maxErrorRate !== undefined)) result['error-limit'] = of('error-limit');
  return result;
}

/** Null until the evidence reaches 1/α; then what carries most of it. */
export function findFailure(state: AnytimeState, settings: JudgeSettings): Failure | null {
  const all = parts(state);
  if (logSumExp(all.map(({ log }) => log)) < -Math.log(settings.alpha)) return null;
  const strongest = all.reduce((best, part) => (part.log > best.log ? part : best));
  const { metric, component, signal } = strongest;
  return { at: state.last, metric, component, signal, scope: scopeOf(state, strongest, settings) };
}

function scopeOf(state: AnytimeState, { component, signal }: Part, settings: JudgeSettings): string {
  const index = signal ?? 0;
  const pod = singleBadPod(state.podWindows, index, {
    warmOnly: component !== 'catastrophic',
    tolerance: settings.tolerated,
    alpha: settings.alpha,
    burst: state.signals[index]?.burst ?? 1,
  });
  return pod === null ? 'release' : `pod:${pod}`;
}
