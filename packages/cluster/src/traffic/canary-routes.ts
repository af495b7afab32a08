import { OperationError } from '@slipway/core';
import { describe } from '../workloads/workload.js';
import type { Destination, Match, OurRoute, Route, RouteRules } from './virtual-service.js';
import { nameOf } from './virtual-service-refusals.js';

/** Names of the http routes that Slipway adds for requests with the canary's header or cookie. */
export const CANARY_ROUTES = { header: 'slipway-canary-header', cookie: 'slipway-canary-cookie' } as const;

/** One more condition for a request: a header, and what its value must be. */
interface Condition {
  name: string;
  header: string;
  value: object;
}

/**
 * The routes that send requests with the header or the cookie to the canary: our route once more (its own matches, time-outs and retries), with
 * one more condition. Empty when neither is configured. Pure.
 *
 * Their place is right before our route. They match nothing that our route would not have got, so they need to win against it alone; first in
 * the list, they would take requests from routes of others that stand before ours.
 */
export function canaryRoutes(ours: OurRoute, rules: RouteRules): Route[] {
  const { mirror: _mirror, mirrors: _mirrors, mirrorPercentage: _percentage, mirrorPercent: _percent, ...rest } = ours.route;
  const matches: Match[] = ours.route.match?.length ? ours.route.match : [{}];
  return conditions(rules).map(({ name, header, value }) => ({
    ...rest,
    name,
    match: matches.map((match) => ({ ...match, headers: { ...match.headers, [header]: value } })),
    route: [canaryDestination(ours, rules)],
  }));
}

/** Whether `match` adds anything. */
export function hasMatch({ header, cookie }: Pick<RouteRules, 'header' | 'cookie'>): boolean {
  return header !== undefined || cookie !== undefined;
}

/** MATCH_TAKEN when our route itself has a condition on that header: there cannot be two, and replacing it would let in others' requests. Pure. */
export function refuseTakenMatch(ours: OurRoute, rules: RouteRules): void {
  const taken = conditions(rules).find(({ header }) => (ours.route.match ?? []).some((match) => mentions(match, header)));
  if (!taken) return;
  throw new OperationError(
    `The ${nameOf(ours.route, ours.index, rules)} of ${describe(ours.where)} has a condition of its own on the header "${taken.header}", so there is no place for the canary's.`,
    {
      reason: 'MATCH_TAKEN',
      next: [
        taken.name === CANARY_ROUTES.header
          ? 'Choose another header for `traffic.header` in slipway.yml.'
          : 'Use `traffic.header` instead of `traffic.cookie` in slipway.yml: cookies are all in one header.',
      ],
    },
  );
}

function conditions({ header, cookie }: RouteRules): Condition[] {
  return [
    ...(header === undefined ? [] : [{ name: CANARY_ROUTES.header, header, value: { exact: 'true' } }]),
    // Istio matches the whole value; cookies are separated by `; `.
    ...(cookie === undefined
      ? []
      : [{ name: CANARY_ROUTES.cookie, header: 'cookie', value: { regex: `^(.*?;\\s*)?${escapeRegex(cookie)}=always(;.*)?$` } }]),
  ];
}

function canaryDestination({ destinations, stable, canary }: OurRoute, { canarySubset }: RouteRules): Destination {
  const { weight: _weight, ...there } = destinations[canary] ?? {
    destination: { ...destinationAt(destinations, stable), subset: canarySubset },
  };
  return there;
}

export function destinationAt(destinations: Destination[], index: number): Destination['destination'] {
  return (destinations[index] as Destination).destination;
}

function mentions({ headers, withoutHeaders }: Match, header: string): boolean {
  return Object.keys({ ...headers, ...withoutHeaders }).some((name) => name.toLowerCase() === header.toLowerCase());
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
