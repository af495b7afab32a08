import type { KubeObject } from './object.js';
import { type Findings, nameRule, subdomain } from './validate.js';

// biome-ignore lint/suspicious/noExplicitAny: a decoded Ingress
type Any = any;

/** networking.k8s.io/v1 Ingress (pkg/apis/networking/validation). */
export function validateIngress({ spec }: KubeObject, findings: Findings): void {
  if (!spec?.rules?.length && !spec?.defaultBackend) {
    return findings.invalid('spec', null, 'either `defaultBackend` or `rules` must be specified');
  }
  if (spec.defaultBackend) checkBackend(spec.defaultBackend, 'spec.defaultBackend', findings);
  for (const [i, rule] of (spec.rules ?? []).entries()) {
    const host: string | undefined = rule.host;
    if (host && !subdomain.test(host.replace(/^\*\./, ''))) findings.invalid(`spec.rules[${i}].host`, host, nameRule);
    if (!rule.http) continue;
    if (!rule.http.paths?.length) findings.required(`spec.rules[${i}].http.paths`);
    for (const [j, path] of (rule.http.paths ?? []).entries()) checkPath(path, `spec.rules[${i}].http.paths[${j}]`, findings);
  }
}

function checkPath({ path, pathType, backend }: Any, at: string, findings: Findings): void {
  const types = ['Exact', 'ImplementationSpecific', 'Prefix'];
  if (pathType === undefined) return findings.required(`${at}.pathType`, 'pathType must be specified');
  if (!types.includes(pathType)) findings.unsupported(`${at}.pathType`, pathType, types);
  else if (pathType !== 'ImplementationSpecific' && !path?.startsWith('/'))
    findings.invalid(`${at}.path`, path ?? '', 'must be an absolute path');
  checkBackend(backend ?? {}, `${at}.backend`, findings);
}

function checkBackend({ service, resource }: Any, at: string, findings: Findings): void {
  if (!service && !resource) return findings.invalid(at, '', 'resource or service backend is required');
  if (service && resource) return findings.invalid(at, '', 'cannot set both resource and service backends');
  if (!service) return;
  const { name, number } = service.port ?? {};
  if (!service.name) findings.required(`${at}.service.name`);
  if (name && number) findings.invalid(at, '', 'cannot set both port name & port number');
  else if (!name && !number) findings.required(at, 'port name or number is required');
  else if (number !== undefined && !(number >= 1 && number <= 65535)) {
    findings.invalid(`${at}.service.port.number`, number, 'must be between 1 and 65535, inclusive');
  }
}
