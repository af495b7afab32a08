import { OperationError } from '@slipway/core';
import type { KubeObject } from '../kube.js';
import { describe } from '../workloads/workload.js';
import type { Destination, OurRoute, Route, RouteRules } from './virtual-service.js';

type Rules = Pick<RouteRules, 'protocol' | 'namespace' | 'service' | 'stableSubset'>;

/** How `traffic.route` names a route of each protocol; tls and tcp routes have no name field. */
const NAMED_BY = { http: 'name', tls: 'SNI host (`match.sniHosts`)', tcp: 'port (`match.port`)' } as const;

/** `http route "primary"`, or `tls route number 2` when it has no name. */
export function nameOf({ name }: Route, index: number, { protocol }: Pick<RouteRules, 'protocol'>): string {
  return `${protocol} route ${name === undefined ? `number ${index + 1}` : `"${name}"`}`;
}

export function routeNotFound(service: KubeObject, routes: Route[], route: string, rules: Rules): OperationError {
  return new OperationError(
    `${describe(service)} has no ${rules.protocol} route with the ${NAMED_BY[rules.protocol]} "${route}"; ${listed(routes, rules)}.`,
    {
      reason: 'ROUTE_NOT_FOUND',
      next: [`Correct \`traffic.route\` in slipway.yml, or name the route in the VirtualService by its ${NAMED_BY[rules.protocol]}.`],
    },
  );
}

export function routeAmbiguous(service: KubeObject, routes: Route[], candidates: number[], rules: Rules): OperationError {
  const which = candidates.map((index) => nameOf(routes[index] ?? {}, index, rules)).join(', ');
  return new OperationError(`Several routes of ${describe(service)} could be the one to split: ${which}.`, {
    reason: 'ROUTE_AMBIGUOUS',
    next: [`Give each route a ${NAMED_BY[rules.protocol]} of its own and set \`traffic.route\` in slipway.yml to the one to split.`],
  });
}

export function routeWithoutStable(service: KubeObject, routes: Route[], rules: Rules, index?: number): OperationError {
  const who =
    index === undefined
      ? `No ${rules.protocol} route of ${describe(service)} leads`
      : `The ${nameOf(routes[index] ?? {}, index, rules)} of ${describe(service)} does not lead`;
  const elsewhere = [
    ...new Set(
      routes
        .flatMap((route) => (Array.isArray(route.route) ? route.route : []))
        .filter((each) => each.destination?.subset === rules.stableSubset)
        .map((each) => each.destination.host),
    ),
  ];
  const other = elsewhere.length === 0 ? '' : ` (a subset of that name is there for the host ${elsewhere.join(', ')})`;
  return new OperationError(
    `${who} to the subset "${rules.stableSubset}" of Service ${rules.namespace}/${rules.service}${other}; ${listed(routes, rules)}.`,
    {
      reason: 'ROUTE_WITHOUT_STABLE',
      next: [
        `Let a route lead to it:\n  route:\n  - destination: {host: ${rules.service}, subset: ${rules.stableSubset}}\n    weight: 100`,
      ],
    },
  );
}

export function otherBackends(ours: OurRoute, other: Destination, rules: Rules): OperationError {
  return new OperationError(
    `The ${nameOf(ours.route, ours.index, rules)} of ${describe(ours.where)} also sends ${other.weight} % to ${JSON.stringify(other.destination)}, which is neither stable nor canary.`,
    { reason: 'ROUTE_HAS_OTHER_BACKENDS', next: ['Split that off into a route of its own, or set its weight to 0 for the rollout.'] },
  );
}

export function weightsNot100(ours: OurRoute, rules: Rules): OperationError {
  const weights = ours.destinations.map(({ weight = 0 }) => weight).join(' + ');
  return new OperationError(
    `The weights of the ${nameOf(ours.route, ours.index, rules)} of ${describe(ours.where)} are ${weights}, which is not 100.`,
    {
      reason: 'WEIGHTS_NOT_100',
      next: ['Correct the weights in the VirtualService; the canary’s should be 0 before a rollout starts.'],
    },
  );
}

function listed(routes: Route[], rules: Rules): string {
  return `its routes: ${routes.map((each, index) => nameOf(each, index, rules)).join(', ') || 'none'}`;
}
