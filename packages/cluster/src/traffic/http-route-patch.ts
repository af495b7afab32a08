import { isDeepStrictEqual } from 'node:util';
import type { Patch } from '../kube.js';
import {
  type BackendRef,
  type HttpRouteRules,
  type HttpRouteView,
  MATCH_RULE,
  matchHeaders,
  type Rule,
  type SplitRule,
  weightOf,
} from './http-route.js';
import { isMirrorTo, withMirror, writable } from './http-route-mirror.js';
import type { Routing } from './routing.js';

type Operations = Extract<Patch, { type: 'json' }>['body'];

/**
 * The JSON patch that brings `routing` about: weights and mirror of the rules that lead to stable, and our rules for header and cookie, which
 * are there or gone. Undefined when all is so already. Every place that is written is preceded by a test that it is still what was read. Pure.
 */
export function routingPatch(view: HttpRouteView, routing: Routing, rules: HttpRouteRules): Patch | undefined {
  const body = [...view.split.flatMap((each) => splitOps(each, routing, rules)), ...matchOps(view, routing.match, rules)];
  return body.length === 0 ? undefined : { type: 'json', body };
}

/**
 * The JSON patch that gives the route the form it had before the rollout (`original`, its rules then): what we added goes, and the canary has no
 * weight. Of a rule that is not in `original` the canary's backend goes unless `keepBackend`. Undefined when it has that form. Pure.
 */
export function restorePatch(
  view: HttpRouteView,
  original: readonly Rule[] | undefined,
  rules: HttpRouteRules,
  { keepBackend }: { keepBackend: boolean },
): Patch | undefined {
  const body = [...view.split.flatMap((each) => restoreOps(each, original, rules, keepBackend)), ...matchOps(view, false, rules)];
  return body.length === 0 ? undefined : { type: 'json', body };
}

/** The mirror first: its guard may be the rule as a whole, which the weights change. */
function splitOps(split: SplitRule, { weight: percent, mirror }: Routing, rules: HttpRouteRules): Operations {
  return [...mirrorOps(split, mirror, rules), ...weightOps(split, percent, rules)];
}

function weightOps(split: SplitRule, percent: number, { canaryService }: HttpRouteRules): Operations {
  if (split.weight === percent) return [];
  const { refs, stable, canary } = split;
  const added = canary === -1 ? [...refs, { ...(refs[stable] as BackendRef), name: canaryService }] : refs;
  const place = canary === -1 ? refs.length : canary;
  // On a way out somebody may have put in a third backend meanwhile: its share is theirs, and stable's as it is.
  const shared = refs.some((ref, index) => index !== stable && index !== canary && weightOf(ref) > 0);
  const weighted = added.map((ref, index) => {
    if (index === stable) return shared && weightOf(ref) > 0 ? ref : { ...ref, weight: 100 - percent };
    return index === place ? { ...ref, weight: percent } : ref;
  });
  return replaceRefs(split, weighted);
}

function replaceRefs({ index, refs }: SplitRule, next: BackendRef[]): Operations {
  if (isDeepStrictEqual(refs, next)) return [];
  const path = `/spec/rules/${index}/backendRefs`;
  return [
    { op: 'test', path, value: refs },
    { op: 'replace', path, value: next },
  ];
}

function mirrorOps(split: SplitRule, percent: number, { canaryService }: HttpRouteRules): Operations {
  const mirror = writable(percent);
  const { index, rule, refs, stable } = split;
  if (split.mirror === mirror) return [];
  const path = `/spec/rules/${index}/filters`;
  const next = withMirror(rule.filters ?? [], { ...(refs[stable] as BackendRef), name: canaryService }, mirror);
  // A list that is not there cannot be tested, so that nobody made one meanwhile: the whole rule is.
  const guard: Operations = [
    rule.filters ? { op: 'test', path, value: rule.filters } : { op: 'test', path: `/spec/rules/${index}`, value: rule },
  ];
  if (next.length === 0) return [...guard, { op: 'remove', path }];
  return [...guard, { op: 'add', path, value: next }];
}

function restoreOps(split: SplitRule, original: readonly Rule[] | undefined, rules: HttpRouteRules, keepBackend: boolean): Operations {
  const before = original && originalOf(split, original);
  const refsBefore = before?.backendRefs ?? [];
  const canaryBefore = refsBefore.find(({ name }) => name === rules.canaryService);
  const stableBefore = refsBefore.find(({ name }) => name === split.refs[split.stable]?.name);
  const keep = before ? canaryBefore !== undefined : keepBackend;
  // Weights that gave the canary something before the rollout are not given back.
  const giveBack = stableBefore !== undefined && (canaryBefore === undefined || weightOf(canaryBefore) === 0);
  const refs = split.refs
    .filter((_, index) => keep || index !== split.canary)
    .map((ref) => {
      if (ref.name === rules.canaryService) return weightOf(ref) === 0 ? ref : { ...ref, weight: 0 };
      if (ref.name !== split.refs[split.stable]?.name) return ref;
      if (giveBack) return sameWeight(ref, stableBefore);
      return split.weight > 0 ? { ...ref, weight: 100 } : ref;
    });
  return [...mirrorOps(split, 0, rules), ...replaceRefs(split, refs)];
}

/** The rule of the snapshot that this one was: of the same name, or with the same matches. */
function originalOf({ index, rule }: SplitRule, original: readonly Rule[]): Rule | undefined {
  const same = (each: Rule | undefined) => each?.name === rule.name && isDeepStrictEqual(each?.matches, rule.matches);
  return same(original[index]) ? original[index] : original.find(same);
}

/** Our rules come last: where a request fits another rule equally well, the earlier wins, and that must stay theirs. */
function matchOps(view: HttpRouteView, wanted: boolean, rules: HttpRouteRules): Operations {
  const next = wanted ? view.split.flatMap((each, number) => matchRule(each, number, rules)) : [];
  const nameless = ({ name: _name, ...rule }: Rule) => rule;
  if (
    isDeepStrictEqual(
      view.matches.map(({ rule }) => nameless(rule)),
      next.map(nameless),
    )
  ) {
    return [];
  }
  const removals = view.matches.toReversed().flatMap(({ index, rule }): Operations => {
    const path = `/spec/rules/${index}`;
    const guard = rule.name === undefined ? { path, value: rule } : { path: `${path}/name`, value: rule.name };
    return [
      { op: 'test', ...guard },
      { op: 'remove', path },
    ];
  });
  return [...removals, ...next.map((value) => ({ op: 'add' as const, path: '/spec/rules/-', value }))];
}

/** The rule once more (its own matches, filters and time-outs), for requests with the header or the cookie, to the canary alone. */
function matchRule({ rule, refs, stable }: SplitRule, number: number, rules: HttpRouteRules): Rule[] {
  const { filters = [], ...rest } = rule;
  const matches = matchHeaders(rules).flatMap((header) =>
    (rule.matches ?? [{}])
      // One match can ask for one value of a header only: such requests are not told apart by it.
      .filter(({ headers = [] }) => !headers.some(({ name }) => name.toLowerCase() === header.name.toLowerCase()))
      .map((match) => ({ ...match, headers: [...(match.headers ?? []), header] })),
  );
  if (matches.length === 0) return [];
  const kept = filters.filter((filter) => !isMirrorTo(filter, rules.canaryService));
  const backend = { ...(refs[stable] as BackendRef), name: rules.canaryService, weight: 1 };
  return [{ ...rest, name: `${MATCH_RULE}${number + 1}`, matches, ...(kept.length > 0 ? { filters: kept } : {}), backendRefs: [backend] }];
}

function sameWeight(ref: BackendRef, before: BackendRef): BackendRef {
  const { weight: _weight, ...rest } = ref;
  return before.weight === undefined ? rest : { ...rest, weight: before.weight };
}
