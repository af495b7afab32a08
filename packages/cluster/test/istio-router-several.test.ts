import { describe, expect, it } from '@jest/globals';
import type { KubeClient } from '../src/kube.js';
import { CANARY_ROUTES } from '../src/traffic/canary-routes.js';
import { createRouter } from '../src/traffic/create-router.js';
import { at, istio, optionsOf, primary, routes, to, virtualService, weights, world } from './istio-router-world.js';
import { refusal } from './memory-kube.js';

const publicService = (...http: object[]) => {
  const made = virtualService(...http);
  return { ...made, metadata: { ...made.metadata, name: 'public' } };
};

function both(second: object[] = [{ name: 'web', route: [to('stable')] }]) {
  const two = world([primary(to('stable', 100), to('canary', 0))], { virtualServices: ['shop', 'public'], header: 'x-canary' });
  two.kube.put(publicService(...second));
  const names = (name: string) => two.kube.at('virtualservices', 'shop', name).spec.http.map((route: { name: string }) => route.name);
  const share = (name: string, route: string) => weights(two.kube, route, name);
  return { ...two, names, share };
}

describe('several VirtualServices', () => {
  it('are all split the same, and come back to the form that each had', async () => {
    const { kube, router, names, share } = both();
    const before = structuredClone(kube.at('virtualservices', 'shop', 'public').spec);
    const snapshot = await router.snapshot();
    await router.route(at(20));
    expect(share('shop', 'primary')).toEqual([80, 20]);
    expect(share('public', 'web')).toEqual([80, 20]);
    expect(names('public')).toEqual([CANARY_ROUTES.header, 'web']);
    expect(await router.verify(at(20))).toMatchObject({ weight: 20, match: true, settled: true });
    await createRouter(kube, { ...optionsOf({ ...istio, virtualServices: ['shop', 'public'] }), snapshot }).cleanup();
    expect(share('shop', 'primary')).toEqual([100, 0]);
    expect(kube.at('virtualservices', 'shop', 'public').spec).toEqual(before);
  });

  it('have one patch each as the way out, none of which waits for another', async () => {
    const { kube, router } = both();
    expect(router.wayOut()).toBeUndefined();
    await router.route(at(20));
    expect(router.wayOut()?.map(({ name, words }) => [name, words])).toEqual([
      ['shop', 'send all of VirtualService shop/shop to stable'],
      ['public', 'send all of VirtualService shop/public to stable'],
    ]);
    let open = 0;
    let most = 0;
    kube.before = async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open--;
      return undefined;
    };
    kube.calls.length = 0;
    await router.makeSafe();
    expect(kube.calls.map(({ verb }) => verb)).toEqual(['patch', 'patch']);
    expect(most).toBe(2);
    expect(router.wayOut()).toEqual([]);
  });

  it('send the rest back when one fails, and say which', async () => {
    const { kube, router, share } = both();
    await router.route(at(20));
    kube.before = ({ name, verb }) => {
      if (name === 'shop' && verb === 'patch') throw refusal('FORBIDDEN', 403, 'may not patch.');
      return undefined;
    };
    await expect(router.makeSafe()).rejects.toMatchObject({
      reason: 'FORBIDDEN',
      message: 'VirtualService shop: may not patch. As wanted: public.',
      details: { failed: ['shop'], done: ['public'] },
    });
    expect(share('shop', 'primary')).toEqual([80, 20]);
    expect(share('public', 'web')).toEqual([100, 0]);
    await expect(router.route(at(0))).rejects.toMatchObject({ reason: 'FORBIDDEN' });
  });

  it('go back even when one is not there any more', async () => {
    const { kube, router, share } = both();
    await router.route(at(20));
    await kube.remove({ group: '', version: 'v1', plural: 'virtualservices', kind: '' }, 'shop', 'shop');
    for (const way of ['makeSafe', 'cleanup'] as const) {
      await expect(router[way]()).rejects.toMatchObject({ details: { failed: ['shop'], done: ['public'] } });
      expect(share('public', 'web')).toEqual([100, 0]);
    }
  });

  it('do not hide a failure behind one that is only gone', async () => {
    const { kube, router } = both();
    await router.route(at(20));
    await kube.remove({ group: '', version: 'v1', plural: 'virtualservices', kind: '' }, 'shop', 'shop');
    kube.before = ({ name, verb }) => {
      if (name === 'public' && verb === 'patch') throw refusal('FORBIDDEN', 403, 'may not patch.');
      return undefined;
    };
    await expect(router.cleanup()).rejects.toMatchObject({ reason: 'FORBIDDEN', details: { failed: ['shop', 'public'], done: [] } });
  });

  it('are written only when all of them can be', async () => {
    const { kube, router } = both([{ name: 'web', route: [to('stable', 70), to('beta', 30)] }]);
    await expect(router.check()).rejects.toMatchObject({ reason: 'ROUTE_HAS_OTHER_BACKENDS' });
    await expect(router.route(at(20))).rejects.toMatchObject({ reason: 'ROUTE_HAS_OTHER_BACKENDS' });
    expect(kube.writes()).toEqual([]);
  });

  it('that disagree are not settled, and their highest weight counts', async () => {
    const { router } = both([{ name: 'web', route: [to('stable', 60), to('canary', 40)] }]);
    expect(await router.read()).toMatchObject({ weight: 40, settled: false });
    await expect(router.verify(at(40, { match: false }))).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE' });
  });

  it('are announced with the patches that are then sent', async () => {
    const { kube, router } = both();
    const announced = await router.writes(at(20));
    expect(kube.writes()).toEqual([]);
    await router.route(at(20));
    expect(kube.writes().map(({ name, body }) => ({ name, body }))).toEqual(
      announced.map(({ name, patch }) => ({ name, body: JSON.parse(JSON.stringify(patch.body)) })),
    );
    expect(await router.writes(at(20))).toEqual([]);
  });
});

describe('an Istio that does not serve v1', () => {
  it('is spoken to in the version that it serves', async () => {
    const { kube } = world([primary(to('stable'))]);
    const asked: string[] = [];
    const old: KubeClient = {
      ...kube,
      withSignal: () => old,
      find: async (resource, namespace, name) => {
        asked.push(resource.version);
        return resource.version === 'v1beta1' || resource.group !== 'networking.istio.io'
          ? kube.find(resource, namespace, name)
          : undefined;
      },
      patch: async (resource, ...rest) => {
        if (resource.version !== 'v1beta1') throw refusal('NOT_FOUND', 404, 'the server could not find the requested resource');
        return kube.patch(resource, ...rest);
      },
    };
    const router = createRouter(old, optionsOf(istio));
    await router.check();
    await router.route(at(20));
    expect(weights(kube)).toEqual([80, 20]);
    expect(router.wayOut()).toMatchObject([{ resource: { version: 'v1beta1', plural: 'virtualservices' } }]);
    await router.makeSafe();
    expect(routes(kube)[0].route).toEqual([to('stable', 100), to('canary', 0)]);
    expect(asked.filter((version) => version === 'v1')).toHaveLength(2);
  });
});
