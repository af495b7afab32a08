import { type Problem, UsageError } from '@slipway/core';

/** `analysis` of slipway.yml, as the loader gives it: durations in milliseconds, percents as fractions. Every key has a default. */
export interface JudgeConfig {
  judge?: 'anytime-valid' | 'threshold';
  /** Requests to pods younger than this are only judged by the catastrophic tier. Default 60 s. */
  warmUp?: number;
  /** α: the largest probability of rolling back a good release, over the whole rollout. Default 0.05. */
  falseRollbackBudget?: number;
  /** ψ₀ and m₀: what is tolerated, p_canary ≤ ψ₀ p_stable + m₀. Defaults 1.25 and 0.02 %. */
  maxErrorRatio?: number;
  errorMargin?: number;
  /** ψ₁ and m₁: the smallest harm that is refused; a pass is evidence of p_canary < ψ₁ p_stable + m₁. Defaults 2 and 0.5 %. */
  passRatio?: number;
  passMargin?: number;
  /** A latency bound that is always judged, milliseconds. */
  latencySlo?: number;
  threshold?: ThresholdConfig;
}

export interface ThresholdConfig {
  /** Default 0.5 % (percentage points). */
  errorDifference?: number;
  /** Default 1.1. */
  p99Ratio?: number;
  /** Of each track. Default 100. */
  minRequests?: number;
  /** Shortest observation, milliseconds; never longer than the planned analysis. Default 300 s. */
  duration?: number;
}

/** The resolved settings of the anytime-valid judge; times in seconds. */
export interface JudgeSettings {
  warmUp: number;
  alpha: number;
  beta: number;
  tolerated: { ratio: number; margin: number };
  refused: { ratio: number; margin: number };
  slo: number | undefined;
}

/** The probability with which a release as bad as what is refused may pass. */
const beta = 0.05;

/** Fills in the defaults. Throws UsageError with every value that makes no sense. */
export function judgeSettings(config: JudgeConfig): JudgeSettings {
  const settings: JudgeSettings = {
    warmUp: (config.warmUp ?? 60_000) / 1000,
    alpha: config.falseRollbackBudget ?? 0.05,
    beta,
    tolerated: { ratio: config.maxErrorRatio ?? 1.25, margin: config.errorMargin ?? 0.0002 },
    refused: { ratio: config.passRatio ?? 2, margin: config.passMargin ?? 0.005 },
    slo: config.latencySlo === undefined ? undefined : config.latencySlo / 1000,
  };
  const problems: Problem[] = [];
  const demand = (holds: boolean, where: string, given: unknown, allowed: string) => {
    if (!holds) problems.push({ where: `analysis.${where}`, message: `${given} makes no sense here`, allowed });
  };
  demand(settings.alpha > 0 && settings.alpha <= 0.5, 'false-rollback-budget', config.falseRollbackBudget, 'above 0 and at most 0.5');
  demand(settings.warmUp >= 0, 'warm-up', config.warmUp, 'a duration, 0 or longer');
  demand(settings.tolerated.ratio >= 1, 'max-error-ratio', config.maxErrorRatio, 'at least 1');
  demand(isFraction(settings.tolerated.margin), 'error-margin', config.errorMargin, '0% to 100%');
  demand(settings.refused.ratio >= settings.tolerated.ratio, 'pass-ratio', settings.refused.ratio, 'at least max-error-ratio');
  demand(
    isFraction(settings.refused.margin) && settings.refused.margin >= settings.tolerated.margin,
    'pass-margin',
    settings.refused.margin,
    'at least error-margin, at most 100%',
  );
  demand(settings.slo === undefined || settings.slo > 0, 'latency-slo', config.latencySlo, 'a duration above 0');
  if (problems.length > 0) throw new UsageError(problems);
  return settings;
}

function isFraction(value: number): boolean {
  return value >= 0 && value <= 1;
}
