import { OperationError } from '@slipway/core';
import { describe } from '../workloads/workload.js';
import { destinationAt } from './canary-routes.js';
import { isService } from './service-host.js';
import type { Destination, OurRoute, Route, RouteRules } from './virtual-service.js';
import { nameOf } from './virtual-service-refusals.js';

/** Percent of the route's requests whose copy the canary gets; 0 when the route mirrors to others alone, or not at all. Pure. */
export function mirrorPercent(route: Route, rules: RouteRules): number {
  if (isCanary(route.mirror, rules)) return route.mirrorPercentage?.value ?? route.mirrorPercent ?? 100;
  const ours = (route.mirrors ?? []).find(({ destination }) => isCanary(destination, rules));
  return ours ? (ours.percentage?.value ?? 100) : 0;
}

/**
 * The route with a copy of `percent` of its requests sent to the canary. Others in `mirrors` are kept; Istio allows either `mirror` or `mirrors`,
 * so where others are, ours is one of them. Pure.
 */
export function withMirror(ours: OurRoute, percent: number, rules: RouteRules): Route {
  if (mirrorPercent(ours.route, rules) === percent) return ours.route;
  const route = withoutMirror(ours.route, rules);
  if (percent === 0) return route;
  const destination = { ...destinationAt(ours.destinations, ours.stable), subset: rules.canarySubset };
  return route.mirrors?.length
    ? { ...route, mirrors: [...route.mirrors, { destination, percentage: { value: percent } }] }
    : { ...route, mirror: destination, mirrorPercentage: { value: percent } };
}

/** ROUTE_HAS_MIRROR when the route mirrors to somebody else by `mirror`, of which there is one. Pure. */
export function refuseMirror(ours: OurRoute, rules: RouteRules): void {
  const { mirror } = ours.route;
  if (!mirror || isCanary(mirror, rules)) return;
  throw new OperationError(
    `The ${nameOf(ours.route, ours.index, rules)} of ${describe(ours.where)} already mirrors to ${JSON.stringify(mirror)}; it is left as it is.`,
    {
      reason: 'ROUTE_HAS_MIRROR',
      next: [
        'Write it as an entry of `mirrors` instead of `mirror`, which leaves room for the canary, or take the mirror out of the steps in slipway.yml.',
      ],
    },
  );
}

function withoutMirror(route: Route, rules: RouteRules): Route {
  if (isCanary(route.mirror, rules)) {
    const { mirror: _mirror, mirrorPercentage: _percentage, mirrorPercent: _percent, ...rest } = route;
    return rest;
  }
  if (!route.mirrors?.some(({ destination }) => isCanary(destination, rules))) return route;
  const { mirrors, ...rest } = route;
  const others = mirrors.filter(({ destination }) => !isCanary(destination, rules));
  return others.length > 0 ? { ...route, mirrors: others } : rest;
}

function isCanary(destination: Destination['destination'] | undefined, rules: RouteRules): boolean {
  return destination?.subset === rules.canarySubset && isService(destination.host, rules);
}
