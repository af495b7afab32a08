import { formatDuration } from '../duration.js';
import type { ServiceConfig, StepSettings } from './config.js';
import type { Path } from './positions.js';
import type { RuleProblem } from './rules.js';

/** What each step may be, by strategy and router, and in what order. Pure. */
export function stepRules(path: Path, service: ServiceConfig): RuleProblem[] {
  const { strategy, steps } = service;
  if (strategy === 'rolling' && steps.length > 0) {
    return [{ path, message: 'a rolling update has no steps', allowed: 'nothing, or strategy canary, blue-green or shadow' }];
  }
  return steps.flatMap((step, index) => [
    ...orderRules([...path, index], steps, index),
    ...strategyRules([...path, index], service, step, index === steps.length - 1),
    ...routerRules([...path, index], service, step),
    ...durationRules([...path, index], service, step),
  ]);
}

function orderRules(path: Path, steps: readonly StepSettings[], index: number): RuleProblem[] {
  const before = steps[index - 1];
  const step = steps[index] as StepSettings;
  // Steps that no user meets (a header, a mirror) may follow each other.
  if (!before || step.weight > before.weight || (step.weight === 0 && before.weight === 0)) return [];
  const message = `${step.weight} does not come after ${before.weight}: weights ascend`;
  return [
    {
      path: [...path, 'weight'],
      message,
      allowed: before.weight < 100 ? `a whole number from ${before.weight + 1} to 100` : 'no step after 100',
    },
  ];
}

function strategyRules(path: Path, { strategy, traffic }: ServiceConfig, step: StepSettings, last: boolean): RuleProblem[] {
  const { weight, mirror } = step;
  const wrong = (key: string, message: string, allowed: string): RuleProblem[] => [{ path: [...path, key], message, allowed }];
  if (strategy === 'blue-green' && weight !== 0 && weight !== 100)
    return wrong('weight', `${weight} % is not all or nothing`, '0 (the preview) or 100 (the switch), or strategy canary');
  if (strategy === 'shadow' && weight !== 0) return wrong('weight', 'a shadow has no users', 'no weight, or strategy canary');
  if (strategy === 'shadow' && mirror === 0) return wrong('mirror', 'is missing: a shadow gets copies of requests', 'a percentage above 0');
  if (weight === 100 && !last) return wrong('weight', '100 comes before other steps', '100 in the last step alone');
  // A preview is checked by whoever asks for it by its own Service or header.
  if (strategy === 'canary' && weight === 0 && mirror === 0 && !(step.match || traffic.router === 'replicas'))
    return wrong('weight', 'nobody would meet the canary', 'a weight above 0, a mirror, or traffic.header or traffic.cookie');
  return [];
}

function routerRules(path: Path, { strategy, traffic: { router } }: ServiceConfig, { weight, mirror }: StepSettings): RuleProblem[] {
  const wrong = (key: string, message: string, allowed: string): RuleProblem[] => [{ path: [...path, key], message, allowed }];
  if (mirror > 0 && router !== 'istio' && router !== 'gateway-api')
    return wrong('mirror', `the router ${router} cannot mirror requests`, 'traffic.router istio or gateway-api');
  if (router !== 'replicas' || strategy === 'blue-green') return [];
  if (weight === 0 || weight === 100) {
    const why = weight === 0 ? 'pods behind a Service always have users' : 'the former pods would be gone, not kept warm';
    return wrong('weight', `${weight} % cannot be had by counting pods: ${why}`, 'a whole number from 1 to 99, or another traffic.router');
  }
  return [];
}

function durationRules(path: Path, { analysis }: ServiceConfig, { duration }: StepSettings): RuleProblem[] {
  if (duration >= analysis.window) return [];
  const message = `${formatDuration(duration)} is shorter than one window of analysis`;
  return [{ path: [...path, 'duration'], message, allowed: `at least ${formatDuration(analysis.window)} (analysis.window)` }];
}
