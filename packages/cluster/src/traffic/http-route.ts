import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../kube.js';
import { type Filter, mirrorShare } from './http-route-mirror.js';
import { chooseStableService } from './stable-service.js';

/** Begin of the names of the rules that Slipway adds for requests with the canary header or cookie. */
export const MATCH_RULE = 'slipway-canary-';

/** What of a Gateway API router's configuration these rules need. */
export interface HttpRouteRules {
  /** Service that users' requests come through. */
  kubeService: string;
  stableService?: string;
  canaryService: string;
  header?: string;
  cookie?: string;
}

export interface BackendRef {
  group?: string;
  kind?: string;
  name: string;
  namespace?: string;
  port?: number;
  /** Default 1. */
  weight?: number;
  [field: string]: unknown;
}

interface HeaderMatch {
  type?: string;
  name: string;
  value: string;
}

export interface Rule {
  name?: string;
  matches?: { headers?: HeaderMatch[]; [field: string]: unknown }[];
  filters?: Filter[];
  backendRefs?: BackendRef[];
  [field: string]: unknown;
}

/** A rule that leads to the stable Service: its weights are ours. */
export interface SplitRule {
  index: number;
  rule: Rule;
  refs: BackendRef[];
  stable: number;
  /** Index of the canary's backend, or -1. */
  canary: number;
  /** Percent of the rule's requests that meet the canary, and of which it gets a copy. */
  weight: number;
  mirror: number;
}

/** An HTTPRoute as a rollout sees it. */
export interface HttpRouteView {
  object: KubeObject;
  stableService: string;
  split: SplitRule[];
  /** The rules that Slipway added, for the header and the cookie. */
  matches: { index: number; rule: Rule }[];
  /** Rules of somebody else that lead to the canary and not to stable. */
  foreign: { index: number; rule: Rule }[];
}

/**
 * Finds the rules whose weights are ours: all that lead to the stable Service, but those that Slipway added. Pure.
 *
 * Reasons: ROUTE_WITHOUT_STABLE, ROUTE_AMBIGUOUS. What cannot be shared out is not refused here: the way out must be open all the same.
 */
export function viewHttpRoute(object: KubeObject, rules: HttpRouteRules): HttpRouteView {
  const all = rulesOf(object).map((rule, index) => ({ index, rule }));
  const local = (ref: BackendRef) => isLocalService(ref, object.metadata.namespace);
  const matches = all.filter(({ rule }) => isMatchRule(rule, rules));
  const others = all.filter((each) => !matches.includes(each));
  const backends = others.flatMap(({ rule }) => rule.backendRefs ?? []).filter(local);
  const stableService = chooseStableService(
    object,
    backends.map(({ name }) => name),
    rules,
  );
  const split = others
    .map(({ index, rule }) => {
      const refs = rule.backendRefs ?? [];
      const find = (name: string) => refs.findIndex((ref) => local(ref) && ref.name === name);
      return { index, rule, refs, stable: find(stableService), canary: find(rules.canaryService) };
    })
    .filter(({ stable }) => stable !== -1)
    .map((each) => ({ ...each, weight: canaryShare(each.refs, each.canary), mirror: mirrorShare(each.rule.filters, rules.canaryService) }));
  const foreign = others.filter(
    ({ index, rule }) =>
      !split.some((each) => each.index === index) &&
      rule.backendRefs?.some((ref) => local(ref) && ref.name === rules.canaryService && weightOf(ref) > 0),
  );
  return { object, stableService, split, matches, foreign };
}

/** Percent of requests that meet the canary, of the rule with most of them. */
export function greatestWeight({ split }: HttpRouteView): number {
  return Math.max(0, ...split.map((each) => each.weight));
}

export function greatestMirror({ split }: HttpRouteView): number {
  return Math.max(0, ...split.map((each) => each.mirror));
}

export function rulesOf(object: KubeObject): Rule[] {
  return object.spec?.rules ?? [];
}

/** `rule "primary"`, or `rule 2` when it has no name. */
export function ruleWords({ index, rule }: { index: number; rule: Rule }): string {
  return rule.name === undefined ? `rule ${index + 1}` : `rule "${rule.name}"`;
}

/** Ours by its name; where the definition of HTTPRoute has no names for rules (before v1.2), by its exact shape. */
function isMatchRule({ name, matches = [], backendRefs = [] }: Rule, rules: HttpRouteRules): boolean {
  if (name !== undefined) return name.startsWith(MATCH_RULE);
  const ours = matchHeaders(rules);
  const [only, ...others] = backendRefs;
  return (
    only?.name === rules.canaryService &&
    others.length === 0 &&
    matches.length > 0 &&
    matches.every(({ headers = [] }) => ours.some((wanted) => headers.some((header) => isDeepStrictEqual(header, wanted))))
  );
}

/** Weights are relative: the canary's share of their sum, in percent. */
function canaryShare(refs: readonly BackendRef[], canary: number): number {
  const sum = refs.reduce((total, ref) => total + weightOf(ref), 0);
  return canary === -1 || sum === 0 ? 0 : (100 * weightOf(refs[canary])) / sum;
}

/** The header that a request has to have, and that it has when it carries the cookie. As the API server stores them, with defaults. */
export function matchHeaders({ header, cookie }: HttpRouteRules): HeaderMatch[] {
  return [
    ...(header === undefined ? [] : [{ type: 'Exact', name: header, value: 'true' }]),
    ...(cookie === undefined ? [] : [{ type: 'RegularExpression', name: 'Cookie', value: `(^|.*;\\s*)${cookie}=always(\\s*;.*|$)` }]),
  ];
}

function isLocalService({ group = '', kind = 'Service', namespace }: BackendRef, own: string | undefined): boolean {
  return group === '' && kind === 'Service' && (namespace === undefined || namespace === own);
}

/** A backend without a weight has the weight 1. */
export function weightOf(ref: BackendRef | undefined): number {
  return ref?.weight ?? 1;
}
