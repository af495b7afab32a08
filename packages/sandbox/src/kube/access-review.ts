import { ApiError } from './api-error.js';
import type { Authorizer, User } from './authorizer.js';
import { isRecord } from './object.js';

const group = 'authorization.k8s.io';

/** Whether a path is that of SelfSubjectAccessReview, which every user may create. */
export function isAccessReview(pathname: string): boolean {
  return pathname === `/apis/${group}/v1/selfsubjectaccessreviews`;
}

/** Answers a SelfSubjectAccessReview: may the one who asks do this? Throws 422 for a review of nothing, or of two things. */
export function review(authorizer: Authorizer, user: User, body: unknown): object {
  const spec = isRecord(body) && isRecord(body.spec) ? body.spec : {};
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (!resource === !path) throw notOne(path);
  const answer = { kind: 'SelfSubjectAccessReview', apiVersion: `${group}/v1`, metadata: {}, spec: withoutEmpty(spec) };
  return { ...answer, status: isRecord(resource) ? statusOf(authorizer, user, resource) : pathStatus(user, path) };
}

function withoutEmpty(spec: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(spec), (_, value) => (value === '' ? undefined : value));
}

function statusOf(authorizer: Authorizer, user: User, attributes: Record<string, unknown>): object {
  const of = (key: string) => String(attributes[key] ?? '');
  const kind = { group: of('group'), plural: of('resource') };
  const question = { kind, verb: of('verb'), subresource: of('subresource'), namespace: of('namespace'), name: of('name') };
  const reason = authorizer.reason(user, question);
  if (reason === undefined) return { allowed: false };
  return { allowed: true, ...(reason ? { reason } : {}) };
}

/** Paths that everybody may read, as `system:discovery` and `system:public-info-viewer` say. */
const openPaths = /^\/(healthz|livez|readyz|version|api|apis|openapi)(\/|$)/;

function pathStatus(user: User, attributes: unknown): object {
  const { path = '', verb = '' } = isRecord(attributes) ? attributes : {};
  return { allowed: Boolean(user.admin) || (verb === 'get' && openPaths.test(String(path))) };
}

function notOne(path: unknown): ApiError {
  const given = isRecord(path) ? JSON.stringify({ Path: path.path ?? '', Verb: path.verb ?? '' }) : '';
  const cause = given
    ? {
        message: `Invalid value: ${given}: cannot be specified in combination with resourceAttributes`,
        field: 'spec.nonResourceAttributes',
      }
    : {
        message: 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
        field: 'spec.resourceAttributes',
      };
  const message = `.${group} "" is invalid: ${cause.field}: ${cause.message}`;
  return new ApiError(422, 'Invalid', message, { group, causes: [{ reason: 'FieldValueInvalid', ...cause }] });
}
