import { OperationError } from '@slipway/core';
import type { KubeObject, Patch } from '../kube.js';
import { annotations, CANARY, TRACK_LABEL } from '../names.js';
import { apiVersionOf, resources } from '../resources.js';
import { describe } from '../workloads/workload.js';
import type { Routing } from './routing.js';
import { chooseStableService } from './stable-service.js';

const PREFIX = 'nginx.ingress.kubernetes.io/';
/** The annotations by which ingress-nginx shares out requests, and that are written here. */
const KEYS = {
  canary: `${PREFIX}canary`,
  weight: `${PREFIX}canary-weight`,
  weightTotal: `${PREFIX}canary-weight-total`,
  header: `${PREFIX}canary-by-header`,
  headerValue: `${PREFIX}canary-by-header-value`,
  cookie: `${PREFIX}canary-by-cookie`,
  /** `legacy`: a session that has met the canary does not stay with it. */
  affinity: `${PREFIX}affinity-canary-behavior`,
} as const;
/** What ingress-nginx heeds on a canary Ingress besides; all else it takes from the stable one. */
const HEEDED = /^nginx\.ingress\.kubernetes\.io\/(load-balance$|upstream-hash-by|affinity|session-cookie-)/;
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

export interface IngressRules {
  kubeService: string;
  stableService?: string;
  canaryService: string;
  header?: string;
  cookie?: string;
}

interface Backend {
  service?: { name: string; port?: unknown };
}

interface IngressRule {
  host?: string;
  http?: { paths: { path?: string; pathType?: string; backend: Backend }[] };
}

/** The Service of the stable pods. Reasons: ROUTE_WITHOUT_STABLE, ROUTE_AMBIGUOUS. Pure. */
export function stableServiceOf(ingress: KubeObject, rules: IngressRules): string {
  return chooseStableService(
    ingress,
    backendsOf(ingress).flatMap(({ service }) => (service ? [service.name] : [])),
    rules,
  );
}

/**
 * The canary Ingress: each path of the stable one that leads to the stable Service, with the canary's in its place, and nobody sent there yet. No
 * TLS: ingress-nginx takes it, and most annotations, from the stable one. Pure.
 */
export function canaryIngressOf(
  stable: KubeObject,
  options: { name: string; workload: string; stableService: string; canaryService: string },
): KubeObject {
  const { name, workload, stableService, canaryService } = options;
  const { ingressClassName, rules = [], defaultBackend } = stable.spec ?? {};
  const led = (backend: Backend) => backend.service?.name === stableService;
  const toCanary = (backend: Backend) => ({ ...backend, service: { ...backend.service, name: canaryService } });
  const copied = (rules as IngressRule[]).flatMap((rule) => {
    const paths = (rule.http?.paths ?? []).filter(({ backend }) => led(backend));
    return paths.length === 0 ? [] : [{ ...rule, http: { paths: paths.map((path) => ({ ...path, backend: toCanary(path.backend) })) } }];
  });
  const kept = Object.entries(stable.metadata.annotations ?? {}).filter(([key]) => HEEDED.test(key) || key === CLASS_ANNOTATION);
  return {
    apiVersion: apiVersionOf(resources.ingresses),
    kind: resources.ingresses.kind,
    metadata: {
      name,
      ...(stable.metadata.namespace === undefined ? {} : { namespace: stable.metadata.namespace }),
      labels: { [TRACK_LABEL]: CANARY },
      annotations: {
        ...Object.fromEntries(kept),
        [annotations.canaryOf]: workload,
        [KEYS.canary]: 'true',
        [KEYS.weight]: '0',
        [KEYS.affinity]: 'legacy',
      },
    },
    spec: {
      ...(ingressClassName === undefined ? {} : { ingressClassName }),
      ...(defaultBackend && led(defaultBackend) ? { defaultBackend: toCanary(defaultBackend) } : {}),
      ...(copied.length > 0 ? { rules: copied } : {}),
    },
  };
}

/** What the canary Ingress says: weight, and whether header or cookie lead to the canary. An Ingress that is not there leads nobody. Pure. */
export function routingOf(canary: KubeObject | undefined): Routing {
  const at = canary?.metadata.annotations ?? {};
  if (at[KEYS.canary] !== 'true') return { weight: 0, mirror: 0, match: false };
  const total = Number(at[KEYS.weightTotal] ?? 100) || 100;
  const weight = Math.min(100, (100 * (Number(at[KEYS.weight] ?? 0) || 0)) / total);
  return { weight, mirror: 0, match: at[KEYS.header] !== undefined || at[KEYS.cookie] !== undefined };
}

/**
 * The merge patch that brings `routing` about; undefined when the annotations are so. At nobody it also ends the sessions that nginx would keep
 * with the canary, and it fits whatever the annotations were: it can be sent without reading them first. Pure.
 */
export function ingressPatch(canary: KubeObject, routing: Routing, rules: IngressRules, stable?: KubeObject): Patch | undefined {
  const wanted = annotationsFor(routing, rules, stable);
  const at = canary.metadata.annotations ?? {};
  const same = Object.entries(wanted).every(([key, value]) => (at[key] ?? null) === value);
  return same ? undefined : { type: 'merge', body: { metadata: { annotations: wanted } } };
}

function annotationsFor({ weight, match }: Routing, { header, cookie }: IngressRules, stable?: KubeObject): Record<string, string | null> {
  const nobody = weight === 0 && !match;
  return {
    [KEYS.canary]: 'true',
    [KEYS.weight]: String(weight),
    [KEYS.weightTotal]: null,
    [KEYS.header]: match && header !== undefined ? header : null,
    [KEYS.headerValue]: match && header !== undefined ? 'true' : null,
    [KEYS.cookie]: match && cookie !== undefined ? cookie : null,
    [KEYS.affinity]: nobody ? 'legacy' : (stable?.metadata.annotations?.[KEYS.affinity] ?? null),
  };
}

/** Reason: INGRESS_HAS_CANARY. ingress-nginx heeds one canary Ingress for a host and path. Pure. */
export function refuseOtherCanary(canary: KubeObject, all: readonly KubeObject[]): void {
  const ours = new Set(placesOf(canary));
  const other = all.find(
    (each) =>
      each.metadata.name !== canary.metadata.name &&
      each.metadata.annotations?.[KEYS.canary] === 'true' &&
      placesOf(each).some((place) => ours.has(place)),
  );
  if (!other) return;
  throw new OperationError(`${describe(other)} is a canary Ingress for the same host and path; ingress-nginx heeds only one.`, {
    reason: 'INGRESS_HAS_CANARY',
    next: [`kubectl -n ${other.metadata.namespace} delete ingress/${other.metadata.name}, if nobody needs it, then run this again.`],
  });
}

function placesOf(ingress: KubeObject): string[] {
  const rules: IngressRule[] = ingress.spec?.rules ?? [];
  return rules.flatMap(({ host = '', http }) => (http?.paths ?? []).map(({ path = '/' }) => `${host} ${path}`));
}

function backendsOf(ingress: KubeObject): Backend[] {
  const { rules = [], defaultBackend } = ingress.spec ?? {};
  return [
    ...(rules as IngressRule[]).flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend)),
    ...(defaultBackend ? [defaultBackend] : []),
  ];
}
