import { type KubeClient, type KubeObject, resources } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { RolloutTarget } from './target.js';

/** Methods whose requests change nothing, by definition (RFC 9110, 9.2.1). */
const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

interface Matched {
  match?: { method?: { exact?: string } }[];
  matches?: { method?: string }[];
}

/**
 * A warning when a step sends copies of requests to the canary and the mirrored route is not limited to methods that change nothing: the copy of
 * an order is a second order. Undefined when nothing is mirrored, or the route lets only such methods in.
 */
export async function warnOfMirroredWrites(client: KubeClient, target: RolloutTarget): Promise<string | undefined> {
  if (!target.steps.some(({ mirror = 0 }) => mirror > 0)) return undefined;
  const routes = await mirroredRoutes(client, target);
  if (routes.length > 0 && routes.every(isSafe)) return undefined;
  return (
    'Copies of POST, PUT, PATCH and DELETE requests reach the canary, too, and what it does with them is real: a mirrored order is a second order. ' +
    'Let the canary write to nothing that users share, or limit the mirrored route to GET (docs/strategies.md, shadow).'
  );
}

/** The routes of which a step may send copies; those that cannot be read are none, so that a warning is given. */
async function mirroredRoutes(client: KubeClient, { namespace, traffic, kubeService }: RolloutTarget): Promise<Matched[]> {
  if (traffic.router === 'istio') {
    const { route, stableSubset } = traffic;
    const found = await Promise.all(
      traffic.virtualServices.map((name) => findUnlessRefused(client, resources.virtualservices, namespace, name)),
    );
    return found.flatMap((object) =>
      routesOf(object, 'http').filter((each) => (route === undefined ? leadsTo(each, stableSubset) : each.name === route)),
    );
  }
  if (traffic.router !== 'gateway-api') return [];
  const stable = traffic.stableService ?? kubeService;
  const object = await findUnlessRefused(client, resources.httproutes, namespace, traffic.httpRoute);
  const rules = routesOf(object, 'rules');
  const led = rules.filter(({ backendRefs = [] }) => backendRefs.some(({ name }: { name: string }) => name === stable));
  // Where the stable Service is another than the configured one, all rules count.
  return led.length > 0 ? led : rules;
}

function leadsTo({ route = [] }: KubeObject['spec'], subset: string): boolean {
  return route.some(({ destination }: { destination?: { subset?: string } }) => destination?.subset === subset);
}

function isSafe({ match, matches }: Matched): boolean {
  const methods = [...(match ?? []).map(({ method }) => method?.exact), ...(matches ?? []).map(({ method }) => method)];
  return methods.length > 0 && methods.every((method) => method !== undefined && SAFE.includes(method));
}

// biome-ignore lint/suspicious/noExplicitAny: of routes each router has its own shape
function routesOf(object: KubeObject | undefined, field: 'http' | 'rules'): any[] {
  const routes = object?.spec?.[field];
  return Array.isArray(routes) ? routes : [];
}

async function findUnlessRefused(...[client, resource, namespace, name]: [KubeClient, ...Parameters<KubeClient['find']>]) {
  try {
    return await client.find(resource, namespace, name);
  } catch (error) {
    // The router's own check says why.
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}
