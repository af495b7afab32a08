import { badRequest } from './api-error.js';
import type { KubeObject } from './object.js';

type Labels = Record<string, string> | undefined;
type Requirement = (labels: Record<string, string>) => boolean;

/** Parses a label selector as in `?labelSelector=`; throws 400 for what is not one. */
export function parseLabelSelector(text: string): (labels: Labels) => boolean {
  const requirements = splitTerms(text).map(parseRequirement);
  return (labels) => requirements.every((fits) => fits(labels ?? {}));
}

/** Commas within `in (a,b)` do not separate. */
function splitTerms(text: string): string[] {
  const terms = text.split(/,(?![^()]*\))/).map((term) => term.trim());
  return terms.filter((term) => term !== '');
}

const label = '[A-Za-z0-9](?:[A-Za-z0-9_./-]*[A-Za-z0-9])?';
const equality = new RegExp(`^(${label})\\s*(==|=|!=)\\s*([A-Za-z0-9_.-]*)$`);
const membership = new RegExp(`^(${label})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const existence = new RegExp(`^(!?)\\s*(${label})$`);

function parseRequirement(term: string): Requirement {
  const equal = equality.exec(term);
  if (equal) {
    const [, key = '', operator, value = ''] = equal;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const member = membership.exec(term);
  if (member) {
    const [, key = '', operator, list = ''] = member;
    const values = new Set(list.split(',').map((value) => value.trim()));
    return operator === 'in'
      ? (labels) => labels[key] !== undefined && values.has(labels[key])
      : (labels) => labels[key] === undefined || !values.has(labels[key]);
  }
  const exists = existence.exec(term);
  if (exists) return (labels) => (labels[exists[2] ?? ''] !== undefined) === (exists[1] !== '!');
  const found = term.split(/\s+/)[1] ?? term;
  throw badRequest(`unable to parse requirement: found '${found}', expected: in, notin, =, ==, !=, gt, lt`);
}

/** A LabelSelector object: `matchLabels` and `matchExpressions`. An empty one matches everything. */
export function matchesSelector(
  selector: { matchLabels?: Record<string, string>; matchExpressions?: { key: string; operator: string; values?: string[] }[] },
  labels: Labels,
): boolean {
  const expressions = selector.matchExpressions ?? [];
  return matchesLabels(selector.matchLabels ?? {}, labels) && expressions.every((one) => matchesExpression(one, labels ?? {}));
}

export function matchesLabels(wanted: Record<string, string>, labels: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels?.[key] === value);
}

function matchesExpression(
  { key, operator, values = [] }: { key: string; operator: string; values?: string[] },
  labels: Record<string, string>,
) {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

const fieldsOfKind: Record<string, readonly string[]> = {
  Pod: ['spec.nodeName', 'spec.restartPolicy', 'status.phase', 'status.podIP'],
  Event: ['involvedObject.kind', 'involvedObject.name', 'involvedObject.namespace', 'involvedObject.uid', 'reason', 'type', 'source'],
  Secret: ['type'],
  Namespace: ['status.phase'],
};

/** Parses `?fieldSelector=`; throws 400 for a field that the kind does not index. */
export function parseFieldSelector(text: string, kind: string): (object: KubeObject) => boolean {
  const tests = splitTerms(text).map((term) => {
    const match = /^([A-Za-z.]+)\s*(==|=|!=)\s*(.*)$/.exec(term);
    if (!match) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
    const [, field = '', operator, value = ''] = match;
    const known = ['metadata.name', 'metadata.namespace', ...(fieldsOfKind[kind] ?? [])];
    if (!known.includes(field)) throw unknownField(field, kind);
    return (object: KubeObject) => (fieldOf(object, field) === value) === (operator !== '!=');
  });
  return (object) => tests.every((fits) => fits(object));
}

/** The one name that a `fieldSelector` leaves; empty: it leaves several. */
export function selectedName(text: string): string {
  const [, name = ''] = /(?:^|,)metadata\.name==?([^,!=]+)(?:,|$)/.exec(text) ?? [];
  return name;
}

function unknownField(field: string, kind: string) {
  if (fieldsOfKind[kind]) return badRequest(`field label not supported: ${field}`);
  return badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
}

function fieldOf(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value === undefined ? '' : String(value);
}
