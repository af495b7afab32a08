import { OperationError } from '@slipway/core';
import type { Resource } from '../kube.js';
import { QUOTA_ADVICE, tellsOfQuota } from '../quota-words.js';
import { type Attempt, isAmbiguous } from './retry.js';
import type { HttpAnswer } from './transport.js';

/** What was asked of the API server, in the words of RBAC. */
export interface Operation {
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  resource: Resource;
  /** `log`, `proxy`, `status` … */
  subresource?: string | undefined;
  namespace: string;
  /** Empty for lists and creations. */
  name: string;
  /** A JSON patch: its failed tests are conflicts, not invalid objects. */
  jsonPatch?: boolean;
}

/** The `Status` object with which the API server explains a refusal; untrusted and often incomplete. */
interface Status {
  reason?: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string; field?: string }[] };
}

/** The server's refusal as an error that says what, where, why and what to do. Pure. */
export function apiError(answer: HttpAnswer, operation: Operation): OperationError {
  const status = statusOf(answer);
  if (operation.subresource === 'proxy' && !isStatus(answer)) return podError(answer, operation);
  const { reason, words, next } = explain(answer.status, status, operation);
  const said = sanitise(status.message ?? hint(answer));
  return new OperationError(`${words}${said ? `: ${said}` : ''}`, {
    reason,
    next,
    details: { ...detailsOf(operation), status: answer.status, ...(status.details?.causes ? { causes: status.details.causes } : {}) },
  });
}

/** What came through the proxy from the pod itself, which must not be taken for the API server's word on permissions. */
function podError(answer: HttpAnswer, operation: Operation): OperationError {
  const { reason } = explain(answer.status, {}, operation);
  const said = hint(answer);
  return new OperationError(
    `Pod ${operation.namespace}/${operation.name} itself answered HTTP ${answer.status}${said ? `: ${said}` : ''}`,
    {
      reason,
      next: ['Check port and path of its metrics; they have to be readable without credentials.'],
      details: { ...detailsOf(operation), status: answer.status },
    },
  );
}

/** No good answer after all attempts. Pure. */
export function unavailable(attempt: Attempt, operation: Operation, server: string, attempts: number, seconds: number): OperationError {
  const why = attempt.failure
    ? attempt.failure.message
    : `HTTP ${attempt.answer.status} ${sanitise(statusOf(attempt.answer).message ?? hint(attempt.answer))}`;
  const tried = attempts === 1 ? '' : ` (${attempts} attempts in ${seconds.toFixed(0)} s)`;
  return new OperationError(`The API server ${server} did not do ${phrase(operation)}: ${why.trim()}${tried}.`, {
    reason: 'API_UNAVAILABLE',
    next: ['Check that the API server can be reached from this runner, then run this again: nothing is lost.'],
    details: {
      ...detailsOf(operation),
      status: attempt.answer?.status ?? null,
      // Whether a write may have been done nevertheless.
      ambiguous: isAmbiguous(attempt),
    },
    ...(attempt.failure ? { cause: attempt.failure } : {}),
  });
}

/** An answer with a good status that is not what an API server answers. Pure. */
export function notKubernetes(answer: HttpAnswer, operation: Operation, server: string, cause?: unknown): OperationError {
  const type = answer.headers['content-type'] ?? 'no content type';
  return new OperationError(
    `${server} answered ${phrase(operation)} with something that is not Kubernetes JSON (${sanitise(type)}): ${hint(answer)}`,
    {
      reason: 'API_UNAVAILABLE',
      next: ['Check the server of the kubeconfig: a proxy or a login page seems to answer in place of the API server.'],
      details: { ...detailsOf(operation), status: answer.status, ambiguous: true },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

function explain(code: number, status: Status, operation: Operation): { reason: string; words: string; next: string[] } {
  const what = phrase(operation);
  switch (code) {
    case 401:
      return {
        reason: 'UNAUTHENTICATED',
        words: `The API server does not accept the credentials of the kubeconfig (401, ${what})`,
        next: ['Log in again in a step before this one; tokens of cloud logins end after an hour or less.'],
      };
    case 403:
      // Admission refuses with the same code as RBAC, and who may do it all is over quota, too.
      if (tellsOfQuota(status.message ?? '')) {
        return { reason: 'QUOTA_EXCEEDED', words: `A ResourceQuota leaves no room to ${what} (403)`, next: [QUOTA_ADVICE] };
      }
      return { reason: 'FORBIDDEN', words: `The kubeconfig's user may not ${what} (403)`, next: [rbacAdvice(operation)] };
    case 404:
      return { reason: 'NOT_FOUND', words: `Not found: ${place(operation)}`, next: [] };
    case 409:
      return status.reason === 'AlreadyExists'
        ? { reason: 'ALREADY_EXISTS', words: `There is one already: ${place(operation)}`, next: [] }
        : conflict(what);
    case 422:
      return operation.jsonPatch && !namesField(status)
        ? conflict(what)
        : { reason: 'INVALID', words: `The API server refused to ${what} (422)${causes(status)}`, next: [] };
    default:
      return {
        reason: code >= 500 || code === 429 ? 'API_UNAVAILABLE' : 'INVALID',
        words: `The API server refused to ${what} (HTTP ${code})`,
        next: [],
      };
  }
}

function conflict(what: string): { reason: string; words: string; next: string[] } {
  return { reason: 'CONFLICT', words: `Changed by somebody else meanwhile (${what})`, next: ['Read it again and decide again.'] };
}

/** Validation names fields; a JSON patch whose test or path failed does not (apiserver endpoints/handlers/patch.go). */
function namesField(status: Status): boolean {
  return (status.details?.causes ?? []).some(({ field }) => field !== undefined && field !== '');
}

function causes(status: Status): string {
  const words = (status.details?.causes ?? []).slice(0, 5).map(({ field, message }) => `${field ?? ''} ${message ?? ''}`.trim());
  return words.length === 0 ? '' : ` because of ${words.map(sanitise).join('; ')}`;
}

function rbacAdvice({ verb, resource, subresource, namespace, name }: Operation): string {
  const plural = subresource ? `${resource.plural}/${subresource}` : resource.plural;
  const rule = `- {apiGroups: ["${resource.group}"], resources: ["${plural}"], verbs: ["${verb}"]}`;
  const named = name === '' || verb === 'create' ? '' : ` (it can be limited by resourceNames: ["${name}"])`;
  return `Add to a Role in namespace ${namespace} that is bound to that user${named}:\n${rule}`;
}

/** `patch deployments.apps/shop in namespace shop-ns`. */
function phrase({ verb, resource, subresource, namespace, name }: Operation): string {
  const group = resource.group === '' ? '' : `.${resource.group}`;
  const plural = `${resource.plural}${group}${subresource ? `/${subresource}` : ''}`;
  return `${verb} ${plural}${name === '' ? '' : ` "${name}"`}${namespace === '' ? '' : ` in namespace ${namespace}`}`;
}

function place({ resource, namespace, name }: Operation): string {
  return `${resource.kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

function detailsOf({ verb, resource, subresource, namespace, name }: Operation): Record<string, unknown> {
  const plural = subresource ? `${resource.plural}/${subresource}` : resource.plural;
  return { verb, group: resource.group, resource: plural, namespace, name };
}

function statusOf({ text }: HttpAnswer): Status {
  try {
    const value: unknown = JSON.parse(text);
    const status = value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
    if (status.kind !== 'Status') return {};
    return {
      ...(typeof status.reason === 'string' ? { reason: status.reason } : {}),
      ...(typeof status.message === 'string' ? { message: status.message } : {}),
      ...(isCauses(status.details) ? { details: status.details } : {}),
    };
  } catch {
    return {};
  }
}

function isStatus({ text }: HttpAnswer): boolean {
  try {
    return (JSON.parse(text) as { kind?: unknown } | null)?.kind === 'Status';
  } catch {
    return false;
  }
}

function isCauses(details: unknown): details is NonNullable<Status['details']> {
  const list = (details as { causes?: unknown } | null | undefined)?.causes;
  return Array.isArray(list) && list.every((cause) => cause !== null && typeof cause === 'object');
}

/** What a page or a plain text says, in a few words. */
function hint({ text }: HttpAnswer): string {
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1];
  return sanitise(title ?? text.replace(/<[^>]*>/g, ' ')).slice(0, 160);
}

/** Text of a server on one line and without control characters; bounded, because a message may hold a whole object. */
function sanitise(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 1000);
}
