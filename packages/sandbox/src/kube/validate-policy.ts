import type { KubeObject } from './object.js';
import { parseQuantity } from './quantity.js';
import type { Findings } from './validate.js';
import { isPercentOrCount, percentRule } from './validate-pod.js';

/** policy/v1 PodDisruptionBudget. */
export function validateDisruptionBudget({ spec = {} }: KubeObject, findings: Findings): void {
  const { minAvailable, maxUnavailable, selector = null } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    // The server shows the spec as its Go struct.
    const shown = { MinAvailable: minAvailable, Selector: selector, MaxUnavailable: maxUnavailable, UnhealthyPodEvictionPolicy: null };
    findings.invalid('spec', shown, 'minAvailable and maxUnavailable cannot be both set');
  }
  for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
    if (value !== undefined && !isPercentOrCount(value)) {
      const why = typeof value === 'number' ? 'must be greater than or equal to 0' : percentRule;
      findings.invalid(`spec.${name}`, value, why);
    }
  }
}

/** core ResourceQuota. */
export function validateQuota({ spec }: KubeObject, findings: Findings): void {
  for (const [resource, limit] of Object.entries(spec?.hard ?? {})) {
    if ((parseQuantity(limit) ?? 0) < 0) findings.invalid(`spec.hard[${resource}]`, String(limit), 'must be greater than or equal to 0');
  }
}
