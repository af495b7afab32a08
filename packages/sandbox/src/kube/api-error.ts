import { type Kind, qualified } from './kinds.js';

export interface Cause {
  reason: string;
  message: string;
  field: string;
}

/** What a failed request is answered with: a `Status` object of the API (k8s.io/apimachinery, pkg/api/errors). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details?: Record<string, unknown>,
    /** Of the Status; only an expired list says something here. */
    readonly metadata: Record<string, unknown> = {},
  ) {
    super(message);
  }

  status(): object {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.metadata,
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

/** In every Status but Invalid's, `details.kind` is the plural resource. */
function naming(kind: Kind, name: string): Record<string, unknown> {
  return { ...(name ? { name } : {}), ...(kind.group ? { group: kind.group } : {}), kind: kind.plural };
}

export function notFound(kind: Kind, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(kind)} "${name}" not found`, naming(kind, name));
}

export function alreadyExists(kind: Kind, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, naming(kind, name));
}

export function conflict(kind: Kind, name: string, why = ''): ApiError {
  const cause = why || 'the object has been modified; please apply your changes to the latest version and try again';
  return new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${cause}`, naming(kind, name));
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

/** 422 with one cause per mistake, in the order found. */
export function invalid(kind: Kind, name: string, causes: readonly Cause[]): ApiError {
  const lines = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  const type = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
  const details = { name, ...(kind.group ? { group: kind.group } : {}), kind: kind.kind, causes };
  return new ApiError(422, 'Invalid', `${type} "${name}" is invalid: ${text}`, details);
}

/** The server's answer when a JSON patch cannot be applied, also when its `test` fails. */
export function unprocessablePatch(): ApiError {
  return new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

export interface Attempt {
  user: string;
  verb: string;
  kind: Kind;
  /** `scale`, `log`, `proxy` … or empty. */
  subresource: string;
  namespace: string;
  name: string;
}

/** The authorizer's refusal, worded as the API server words it. */
export function forbidden({ user, verb, kind, subresource, namespace, name }: Attempt): ApiError {
  const resource = subresource ? `${kind.plural}/${subresource}` : kind.plural;
  const place = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  const what = name ? `${qualified(kind)} "${name}" is forbidden` : `${qualified(kind)} is forbidden`;
  const message = `${what}: User "${user}" cannot ${verb} resource "${resource}" in API group "${kind.group}" ${place}`;
  return new ApiError(403, 'Forbidden', message, naming(kind, name));
}
