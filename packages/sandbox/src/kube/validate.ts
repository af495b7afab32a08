import { type Cause, invalid } from './api-error.js';
import type { Kind } from './kinds.js';
import { type KubeObject, sameJson } from './object.js';
import { checkSchema } from './schema/check.js';
import { schemas } from './schema/schemas.js';
import { matchesSelector } from './selectors.js';
import { validateCronJob, validateJob } from './validate-batch.js';
import { validateIngress } from './validate-ingress.js';
import { isPercentOrCount, percentRule, validatePodSpec } from './validate-pod.js';
import { validateDisruptionBudget, validateQuota } from './validate-policy.js';

/** Collects the mistakes of one object in the words of k8s.io/apimachinery, pkg/util/validation/field. */
export class Findings {
  readonly causes: Cause[] = [];
  invalid(field: string, value: unknown, why: string): void {
    const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'null');
    this.causes.push({ reason: 'FieldValueInvalid', message: `Invalid value: ${text}: ${why}`, field });
  }
  /** As the schema of a custom kind finds it. */
  mistyped(field: string, value: unknown, type: string): void {
    const got = jsonType(value);
    const message = `Invalid value: "${got}": ${field} in body must be of type ${type}: "${got}"`;
    this.causes.push({ reason: 'FieldValueTypeInvalid', message, field });
  }
  /** The rules of a custom kind were not looked at, for its form is wrong. */
  unfinished(): void {
    const rest =
      'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
    this.causes.push({ reason: 'FieldValueInvalid', message: `Invalid value: null: ${rest}`, field: '<nil>' });
  }
  /** A rule of a custom kind does not hold. */
  broken(field: string, message: string): void {
    this.causes.push({ reason: 'FieldValueInvalid', message: `Invalid value: ${message}`, field });
  }
  required(field: string, why = ''): void {
    this.causes.push({ reason: 'FieldValueRequired', message: `Required value${why ? `: ${why}` : ''}`, field });
  }
  forbidden(field: string, why: string): void {
    this.causes.push({ reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field });
  }
  duplicate(field: string, value: unknown): void {
    this.causes.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(value)}`, field });
  }
  unsupported(field: string, value: unknown, supported: readonly string[]): void {
    const list = supported.map((one) => JSON.stringify(one)).join(', ');
    this.causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`,
      field,
    });
  }
  tooMany(field: string, count: number, limit: number): void {
    this.causes.push({ reason: 'FieldValueTooMany', message: `Too many: ${count}: must have at most ${limit} items`, field });
  }
  tooLong(field: string, limit: number): void {
    this.causes.push({ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limit} bytes`, field });
  }
}

/** The scale subresource reads `spec.replicas` on every write. */
function checkScalable({ spec }: KubeObject, findings: Findings): void {
  const { replicas } = spec ?? {};
  if (replicas === undefined || Number.isInteger(replicas)) return;
  findings.invalid('.spec.replicas', 0, `.spec.replicas accessor error: ${replicas} is of the type ${jsonType(replicas)}, expected int64`);
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Checks an object before it is stored; `previous` is the stored one on an update. Throws 422 with every mistake. */
export function validate(object: KubeObject, kind: Kind, previous: KubeObject | undefined, subresource = ''): void {
  const findings = new Findings();
  validateMeta(object, findings);
  const schema = schemas[kind.kind];
  if (schema) checkSchema(object, previous, schema, findings, subresource);
  if (kind.custom && kind.scale) checkScalable(object, findings);
  byKind[kind.kind]?.(object, findings, previous);
  if (findings.causes.length > 0) throw invalid(kind, object.metadata.name ?? '', findings.causes);
}

export const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;
export const nameRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const valueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

function validateMeta({ metadata, kind }: KubeObject, findings: Findings): void {
  const isRbac = /Role/.test(kind);
  if (!metadata.name) findings.required('metadata.name', 'name or generateName is required');
  else if (metadata.name.length > 253) findings.invalid('metadata.name', metadata.name, 'must be no more than 253 characters');
  else if (!isRbac && !subdomain.test(metadata.name)) findings.invalid('metadata.name', metadata.name, nameRule);
  validateLabels(metadata.labels, 'metadata.labels', findings);
  const size = Object.entries(metadata.annotations ?? {}).reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0);
  if (size > 262144) findings.tooLong('metadata.annotations', 262144);
}

export function validateLabels(labels: Record<string, string> | undefined, field: string, findings: Findings): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (!labelKey.test(key)) findings.invalid(field, key, "name part must consist of alphanumeric characters, '-', '_' or '.'");
    if (value.length > 63) findings.invalid(field, value, 'must be no more than 63 bytes');
    else if (!labelValue.test(value)) findings.invalid(field, value, valueRule);
  }
}

function nonNegative(value: unknown, field: string, findings: Findings): void {
  if (typeof value === 'number' && value < 0) findings.invalid(field, value, 'must be greater than or equal to 0');
}

type Validator = (object: KubeObject, findings: Findings, previous: KubeObject | undefined) => void;

const workload: Validator = ({ spec }, findings, previous) => {
  if (!spec) return findings.required('spec');
  nonNegative(spec.replicas, 'spec.replicas', findings);
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', findings);
  const labels = spec.template?.metadata?.labels;
  const { matchLabels = {}, matchExpressions = [] } = spec.selector ?? {};
  if (!spec.selector) findings.required('spec.selector');
  else if (Object.keys(matchLabels).length + matchExpressions.length === 0) {
    findings.invalid('spec.selector', spec.selector, 'empty selector is invalid for deployment');
  } else if (!matchesSelector(spec.selector, labels)) {
    findings.invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`');
  }
  validateLabels(labels, 'spec.template.metadata.labels', findings);
  validatePodSpec(spec.template?.spec, 'spec.template.spec', findings);
  if (previous && !sameJson(previous.spec.selector, spec.selector)) findings.invalid('spec.selector', spec.selector, 'field is immutable');
};

const deployment: Validator = (object, findings, previous) => {
  workload(object, findings, previous);
  const { strategy, progressDeadlineSeconds, minReadySeconds = 0 } = object.spec ?? {};
  if (!['RollingUpdate', 'Recreate'].includes(strategy?.type))
    findings.unsupported('spec.strategy.type', strategy?.type, ['Recreate', 'RollingUpdate']);
  if (strategy?.type === 'Recreate' && strategy.rollingUpdate) {
    findings.forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'");
  }
  const { maxSurge, maxUnavailable } = strategy?.rollingUpdate ?? {};
  for (const [name, value] of Object.entries({ maxSurge, maxUnavailable })) {
    if (value !== undefined && !isPercentOrCount(value)) {
      findings.invalid(`spec.strategy.rollingUpdate.${name}`, value, percentRule);
    }
  }
  const isZero = (value: unknown) => value === 0 || value === '0%';
  if (isZero(maxSurge) && isZero(maxUnavailable)) {
    findings.invalid('spec.strategy.rollingUpdate.maxUnavailable', maxUnavailable, 'may not be 0 when `maxSurge` is 0');
  }
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds) {
    findings.invalid('spec.progressDeadlineSeconds', progressDeadlineSeconds, 'must be greater than minReadySeconds');
  }
};

const data: Validator = (object, findings, previous) => {
  const entries = Object.entries({ ...object.data, ...object.binaryData }) as [string, string][];
  for (const [key] of entries) {
    if (!/^[-._a-zA-Z0-9]+$/.test(key))
      findings.invalid(
        `data[${key}]`,
        key,
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      );
  }
  const size = entries.reduce((sum, [, value]) => sum + Buffer.byteLength(value), 0);
  if (size > 1048576) findings.tooLong('', 1048576);
  if (previous?.immutable && !sameJson(previous.data, object.data))
    findings.forbidden('data', 'field is immutable when `immutable` is set');
};

const byKind: Record<string, Validator> = {
  Deployment: deployment,
  ReplicaSet: workload,
  ConfigMap: data,
  Secret: (object, findings, previous) => {
    data(object, findings, previous);
    if (previous && previous.type !== object.type) findings.invalid('type', object.type, 'field is immutable');
  },
  Pod: ({ spec }, findings, previous) => {
    validatePodSpec(spec, 'spec', findings);
    const images = (value: KubeObject['spec']) => value?.containers?.map((container: { image: string }) => ({ ...container, image: '' }));
    if (previous && !sameJson(images(previous.spec), images(spec))) {
      findings.forbidden(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      );
    }
  },
  Service: ({ spec }, findings, previous) => {
    if (spec?.clusterIP !== 'None' && spec?.type !== 'ExternalName' && !spec?.ports?.length) findings.required('spec.ports');
    for (const [i, port] of (spec?.ports ?? []).entries()) {
      if (!(port.port >= 1 && port.port <= 65535))
        findings.invalid(`spec.ports[${i}].port`, port.port, 'must be between 1 and 65535, inclusive');
      if (spec.ports.length > 1 && !port.name) findings.required(`spec.ports[${i}].name`);
    }
    if (previous?.spec.clusterIP && spec?.clusterIP !== previous.spec.clusterIP) {
      findings.invalid('spec.clusterIPs[0]', spec?.clusterIP ?? '', 'may not change once set');
    }
  },
  Lease: ({ spec }, findings) => {
    if (spec?.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
      findings.invalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0');
    }
    nonNegative(spec?.leaseTransitions, 'spec.leaseTransitions', findings);
  },
  HorizontalPodAutoscaler: ({ spec }, findings) => {
    const { minReplicas, maxReplicas = 0, scaleTargetRef: target } = spec ?? {};
    if (maxReplicas < 1) findings.required('spec.maxReplicas', 'must be set and greater than 0');
    if (maxReplicas < minReplicas) findings.invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`');
    if (!target?.kind) findings.required('spec.scaleTargetRef.kind');
    if (!target?.name) findings.required('spec.scaleTargetRef.name');
    if (!target?.apiVersion) findings.invalid('spec.scaleTargetRef.apiVersion', '', 'apiVersion must specify API group');
  },
  Ingress: validateIngress,
  PodDisruptionBudget: validateDisruptionBudget,
  ResourceQuota: validateQuota,
  Job: validateJob,
  CronJob: validateCronJob,
};
