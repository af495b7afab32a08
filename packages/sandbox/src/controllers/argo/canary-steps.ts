import type { KubeObject } from '../../kube/object.js';
import { templateHash } from '../deployment-controller.js';

/** A step of `spec.strategy.canary.steps`, as far as it is understood here. */
export interface CanaryStep {
  setWeight?: number;
  pause?: { duration?: number | string };
  setCanaryScale?: { weight?: number; replicas?: number; matchTrafficWeight?: boolean };
}

export function stepsOf({ spec }: KubeObject): CanaryStep[] {
  return spec.strategy?.canary?.steps ?? [];
}

/** Changes when the steps do; an update under way then begins anew. */
export function stepHash(rollout: KubeObject): string {
  return templateHash(stepsOf(rollout));
}

export function currentIndex({ status }: KubeObject): number {
  return status?.currentStepIndex ?? 0;
}

/** Undefined when all are done, or there are none. */
export function currentStep(rollout: KubeObject): CanaryStep | undefined {
  return stepsOf(rollout)[currentIndex(rollout)];
}

export function isFullyPromoted({ status }: KubeObject): boolean {
  return status?.stableRS !== undefined && status.stableRS === status.currentPodHash;
}

export function isTrafficRouted({ spec }: KubeObject): boolean {
  return spec.strategy?.canary?.trafficRouting !== undefined;
}

/** Weight of the last `setWeight` up to step `index`, 0 before the first. */
export function weightAt(rollout: KubeObject, index: number): number {
  const set = stepsOf(rollout)
    .slice(0, index + 1)
    .flatMap(({ setWeight }) => (setWeight === undefined ? [] : [setWeight]));
  return set.at(-1) ?? 0;
}

/** Weight that the canary is to have: 100 beyond the last step, 0 when aborted. */
export function wantedWeight(rollout: KubeObject): number {
  if (rollout.status?.abort) return 0;
  return currentStep(rollout) ? weightAt(rollout, currentIndex(rollout)) : 100;
}

/** How many canary pods, or for which weight, when a step said so apart from the traffic. */
export function canaryScale(rollout: KubeObject): { replicas?: number; weight?: number } | undefined {
  if (!currentStep(rollout) || !isTrafficRouted(rollout) || rollout.status?.abort) return undefined;
  const said = stepsOf(rollout)
    .slice(0, currentIndex(rollout) + 1)
    .flatMap(({ setCanaryScale }) => (setCanaryScale ? [setCanaryScale] : []))
    .at(-1);
  return said?.matchTrafficWeight ? undefined : said;
}

/** Milliseconds; undefined without an end. Seconds as a number or text, or with a unit: `30`, `30s`, `5m`, `1h30m`. */
export function pauseLength({ duration }: { duration?: number | string }): number | undefined {
  if (duration === undefined) return undefined;
  if (/^\d+$/.test(String(duration))) return Number(duration) * 1000;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...String(duration).matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit as string] as number), 0);
}

/** As events name it. */
export function describeStep({ setWeight, pause, setCanaryScale }: CanaryStep): string {
  if (setWeight !== undefined) return `setWeight: ${setWeight}`;
  if (setCanaryScale) return `setCanaryScale${JSON.stringify(setCanaryScale)}`;
  return pause?.duration === undefined ? 'pause' : `pause: ${pause.duration}`;
}
