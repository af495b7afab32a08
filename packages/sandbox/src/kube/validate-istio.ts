import type { KubeObject } from './object.js';
import type { Findings } from './validate.js';

/** What the schemas of Istio's CustomResourceDefinitions check of the fields that route traffic. */
export function validateIstio(object: KubeObject, findings: Findings): void {
  const { spec = {} } = object;
  if (spec.hosts !== undefined && !Array.isArray(spec.hosts)) findings.mistyped('spec.hosts', spec.hosts, 'array');
  if (object.kind === 'DestinationRule') return validateSubsets(spec, findings);
  for (const [i, route] of (spec.http ?? []).entries()) {
    for (const [j, to] of (route.route ?? []).entries()) {
      const at = `spec.http[${i}].route[${j}]`;
      if (!to.destination) findings.required(`${at}.destination`);
      else if (typeof to.destination.host !== 'string') findings.required(`${at}.destination.host`);
      if (to.weight !== undefined && !Number.isInteger(to.weight)) findings.mistyped(`${at}.weight`, to.weight, 'integer');
    }
  }
}

function validateSubsets(spec: KubeObject['spec'], findings: Findings): void {
  if (typeof spec.host !== 'string') findings.required('spec.host');
  for (const [i, subset] of (spec.subsets ?? []).entries()) if (!subset.name) findings.required(`spec.subsets[${i}].name`);
}
