import { describe, expect, it } from '@jest/globals';
import type { TrafficSnapshot } from '@slipway/cluster';
import type { Command } from '../src/command.js';
import { parseState } from '../src/parse-state.js';
import { runCommand } from '../src/run-command.js';
import type { RolloutState } from '../src/state.js';
import { deps, find, imageOf, namespace, shop, stateOf, target, v1, v2, weightOf } from './shop.js';
import { state } from './states.js';

const start: Command = { kind: 'start', image: v2, version: 'v2.0.0' };
const abort: Command = { kind: 'abort', reason: 'ABORTED', summary: 'by hand.' };
const route = { name: 'primary', destinations: [{ host: 'shop', subset: 'stable', weight: 100 }] };
const traffic: TrafficSnapshot = { router: 'istio', virtualServices: [{ name: 'shop', route }] };

/** The state as the first release wrote it: one VirtualService by its name, and nothing of what came later. */
function asWrittenBefore({ target: now, wayOut: _, floor: _floor, ...rest }: RolloutState): Record<string, unknown> {
  const { service, environment, workload, canary, kubeService, steps, readyTimeout, drain } = now;
  const istio = { router: 'istio', virtualService: 'shop', destinationRule: 'shop', stableSubset: 'stable', canarySubset: 'canary' };
  const split = now.traffic.router === 'istio' ? istio : { router: now.traffic.router };
  const snapshot = now.traffic.router === 'istio' ? { router: 'istio', virtualService: 'shop', route } : rest.traffic;
  return {
    ...rest,
    target: { service, environment, namespace, workload, canary, kubeService, traffic: split, steps, readyTimeout, drain },
    traffic: snapshot,
  };
}

describe('a state of the first release', () => {
  it.each(['istio', 'replicas'] as const)('of a rollout that is on can be aborted (%s)', async (router) => {
    const kube = shop();
    await runCommand(deps(kube, { target: target(router) }), start);
    const old = asWrittenBefore(stateOf(kube));
    kube.put({ ...kube.at('configmaps', namespace, 'slipway-shop'), data: { 'state.json': JSON.stringify(old) } });
    const { verdict } = await runCommand(deps(kube, { target: target(router) }), abort);
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'ABORTED' });
    expect([weightOf(kube), imageOf(kube), find(kube, 'shop-canary')]).toEqual([0, v1, undefined]);
    expect(kube.at('virtualservices', namespace, 'shop').spec.http).toEqual([
      { name: 'primary', route: [{ destination: { host: 'shop', subset: 'stable' }, weight: 100 }] },
    ]);
    expect(stateOf(kube).phase).toBe('aborted');
  });

  it('is completed as that release behaved', () => {
    expect(parseState(asWrittenBefore(state('progressing')))).toEqual({ ...state('progressing'), traffic });
  });
});

it('a state of this release stays as it is', () => {
  const now = state('progressing', { traffic, target: { ...target(), scaleDownDelay: 7_000, splitCheck: 'measured', maxSnapshots: 2 } });
  expect(parseState(now)).toEqual(now);
});

describe('a target or a snapshot that leads nowhere is refused by name', () => {
  const istio = { ...target().traffic, virtualServices: undefined };
  it.each<[string, object, RegExp]>([
    ['no VirtualService', { target: { ...target(), traffic: istio } }, /names no VirtualService/],
    ['a delay that is no number', { target: { ...target(), scaleDownDelay: 'soon' } }, /a limit that is not a number/],
    ['a snapshot of nothing', { traffic: { router: 'istio' } }, /no `virtualServices`/],
  ])('%s', (_, wrong, words) => expect(() => parseState({ ...state('progressing'), ...wrong })).toThrow(words));
});
