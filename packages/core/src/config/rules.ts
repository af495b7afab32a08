import { formatPercent } from '../percent.js';
import type { Config, ServiceConfig } from './config.js';
import type { Path } from './positions.js';
import { stepRules } from './step-rules.js';

/** Something wrong that no single value shows. */
export interface RuleProblem {
  path: Path;
  message: string;
  allowed: string;
}

/** Checks what spans several values. */
export function brokenRules(config: Config): RuleProblem[] {
  return Object.entries(config.services).flatMap(([name, service]) => serviceRules(['services', name], service));
}

function serviceRules(path: Path, service: ServiceConfig): RuleProblem[] {
  const { analysis, traffic } = service;
  const problems: RuleProblem[] = stepRules([...path, 'steps'], service);
  if (analysis.provider === 'prometheus' && !analysis.prometheus) {
    problems.push({
      path: [...path, 'analysis', 'prometheus'],
      message: 'is missing: the provider is prometheus',
      allowed: 'a map with at least url',
    });
  }
  problems.push(...passRules([...path, 'analysis'], analysis));
  if (traffic.router === 'istio' && traffic.stableSubset === traffic.canarySubset) {
    const message = `${JSON.stringify(traffic.canarySubset)} is also the stable subset`;
    problems.push({ path: [...path, 'traffic', 'canary-subset'], message, allowed: 'another subset than stable-subset' });
  }
  return problems;
}

/** A pass that rules out less harm than is tolerated could contradict a rollback. */
function passRules(path: Path, { maxErrorRatio, passRatio, errorMargin, passMargin }: ServiceConfig['analysis']): RuleProblem[] {
  const problems: RuleProblem[] = [];
  if (passRatio < maxErrorRatio) {
    const message = `${passRatio} is below what is tolerated (max-error-ratio ${maxErrorRatio})`;
    problems.push({ path: [...path, 'pass-ratio'], message, allowed: `a number, ${maxErrorRatio} or more` });
  }
  if (passMargin < errorMargin) {
    const tolerated = formatPercent(errorMargin);
    const message = `${formatPercent(passMargin)} is below what is tolerated (error-margin ${tolerated})`;
    problems.push({ path: [...path, 'pass-margin'], message, allowed: `at least ${tolerated}` });
  }
  return problems;
}
