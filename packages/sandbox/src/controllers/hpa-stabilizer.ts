import type { KubeObject } from '../kube/object.js';

/** Remembers what was recommended to each autoscaler, so that a passing dip or peak does not move it. */
export class Stabilizer {
  private readonly recent = new Map<string, { at: number; replicas: number }[]>();

  /** Down to the highest, up to the lowest of the recommendations within the windows (`now` included). */
  apply(hpa: KubeObject, current: number, proposed: number, downWindow: number, now: number): number {
    const { uid } = hpa.metadata;
    const { scaleUp, scaleDown } = hpa.spec.behavior ?? {};
    const down = milliseconds(scaleDown) ?? downWindow;
    const up = milliseconds(scaleUp) ?? 0;
    const all = [...(this.recent.get(uid) ?? []).filter(({ at }) => now - at <= Math.max(up, down)), { at: now, replicas: proposed }];
    this.recent.set(uid, all);
    const within = (window: number) => all.filter(({ at }) => at === now || now - at < window).map(({ replicas }) => replicas);
    const lowest = Math.min(...within(up));
    const highest = Math.max(...within(down));
    return Math.min(Math.max(current, lowest), highest);
  }
}

function milliseconds(rules: { stabilizationWindowSeconds?: number } | undefined): number | undefined {
  return rules?.stabilizationWindowSeconds === undefined ? undefined : rules.stabilizationWindowSeconds * 1000;
}

interface Limited {
  replicas: number;
  reason: string;
  message: string;
}

/** Holds a recommendation within the object's bounds, and within twice the current size (at least 4) in one look. */
export function limitReplicas({ spec }: KubeObject, current: number, wanted: number): Limited {
  const { minReplicas = 1, maxReplicas, behavior = {} } = spec;
  const isOff = (rules: { selectPolicy?: string } | undefined) => rules?.selectPolicy === 'Disabled';
  if ((wanted > current && isOff(behavior.scaleUp)) || (wanted < current && isOff(behavior.scaleDown))) {
    const direction = wanted > current ? 'increasing' : 'decreasing';
    const reason = wanted > current ? 'ScaleUpLimit' : 'ScaleDownLimit';
    return { replicas: current, reason, message: `the desired replica count is ${direction} faster than the maximum scale rate` };
  }
  if (wanted < minReplicas)
    return { replicas: minReplicas, reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' };
  if (wanted > maxReplicas)
    return {
      replicas: maxReplicas,
      reason: 'TooManyReplicas',
      message: 'the desired replica count is more than the maximum replica count',
    };
  const fastest = Math.max(2 * current, 4);
  if (wanted > fastest)
    return {
      replicas: fastest,
      reason: 'ScaleUpLimit',
      message: 'the desired replica count is increasing faster than the maximum scale rate',
    };
  return { replicas: wanted, reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' };
}
