import { describe, expect, it } from '@jest/globals';
import { CANARY_ROUTES } from '../src/traffic/canary-routes.js';
import { createRouter } from '../src/traffic/create-router.js';
import { at, istio, optionsOf, other, primary, routes, to, world } from './istio-router-world.js';

const plain = (...route: object[]) => ({ name: 'primary', route });
const canaryPods = { host: 'shop', subset: 'canary', port: { number: 80 } };
const none = { weight: 0, mirror: 0, match: false };

describe('a mirror', () => {
  it('is a share of our route’s requests, and goes on every way out', async () => {
    const original = [other, plain(to('stable'))];
    const { kube, router } = world(original);
    const snapshot = await router.snapshot();
    await router.route({ ...none, mirror: 12.5 });
    expect(routes(kube)[1]).toEqual({ ...plain(to('stable')), mirror: canaryPods, mirrorPercentage: { value: 12.5 } });
    expect(await router.verify({ ...none, mirror: 12.5 })).toMatchObject({ weight: 0, mirror: 12.5, settled: true });
    await router.route({ ...none, mirror: 50 });
    expect(routes(kube)[1].mirrorPercentage).toEqual({ value: 50 });
    await router.route(none);
    expect(routes(kube)).toEqual(original);
    await router.route({ ...none, mirror: 50 });
    await router.makeSafe();
    expect(routes(kube)).toEqual(original);
    await router.route(at(10, { mirror: 50 }));
    await createRouter(kube, { ...optionsOf(istio), snapshot }).cleanup();
    expect(routes(kube)).toEqual(original);
  });

  it('of somebody else is refused, and otherwise left as it is', async () => {
    const { kube, router } = world([primary(to('stable'))]);
    await router.check();
    await expect(router.route({ ...none, mirror: 5 })).rejects.toMatchObject({
      reason: 'ROUTE_HAS_MIRROR',
      message: expect.stringContaining('{"host":"log"}'),
    });
    expect(kube.writes()).toEqual([]);
    await router.route(at(10));
    await router.route(none);
    expect(routes(kube)[0].mirror).toEqual({ host: 'log' });
    expect((await router.read()).mirror).toBe(0);
  });

  it('is one more where others are listed, who stay', async () => {
    const log = { destination: { host: 'log' }, percentage: { value: 100 } };
    const original = [{ ...plain(to('stable')), mirrors: [log] }];
    const { kube, router } = world(original);
    await router.route({ ...none, mirror: 5 });
    expect(routes(kube)[0].mirrors).toEqual([log, { destination: canaryPods, percentage: { value: 5 } }]);
    expect(routes(kube)[0].mirror).toBeUndefined();
    expect((await router.read()).mirror).toBe(5);
    await router.makeSafe();
    expect(routes(kube)).toEqual(original);
  });

  it('that comes between reading and writing is not overwritten', async () => {
    const { kube, router } = world([plain(to('stable'))]);
    let meanwhile = false;
    kube.before = ({ verb }) => {
      if (verb !== 'patch' || meanwhile) return undefined;
      meanwhile = true;
      const service = kube.at('virtualservices', 'shop', 'shop');
      kube.put({ ...service, spec: { ...service.spec, http: [{ ...plain(to('stable')), mirror: { host: 'log' } }] } });
      return undefined;
    };
    await expect(router.route({ ...none, mirror: 5 })).rejects.toMatchObject({ reason: 'ROUTE_HAS_MIRROR' });
    expect(routes(kube)[0].mirror).toEqual({ host: 'log' });
  });

  it('without a percentage is all of it', async () => {
    const { router } = world([{ ...plain(to('stable')), mirror: canaryPods }]);
    expect((await router.read()).mirror).toBe(100);
  });
});

describe('header and cookie', () => {
  const config = { header: 'x-canary', cookie: 'who' };
  const names = (kube: Parameters<typeof routes>[0]) => routes(kube).map(({ name }: { name: string }) => name);
  const matched = { ...none, match: true };

  it('lead to the canary without any weight, and behind the routes of others', async () => {
    const { kube, router } = world([other, plain(to('stable'))], config);
    await router.route(matched);
    expect(names(kube)).toEqual(['admin', CANARY_ROUTES.header, CANARY_ROUTES.cookie, 'primary']);
    expect(routes(kube)[1]).toMatchObject({
      match: [{ headers: { 'x-canary': { exact: 'true' } } }],
      route: [{ destination: canaryPods }],
    });
    expect(routes(kube)[3]).toEqual(plain(to('stable')));
    expect(await router.verify(matched)).toMatchObject({ weight: 0, match: true, settled: true });
    await router.route(none);
    expect(names(kube)).toEqual(['admin', 'primary']);
  });

  it('mean the whole name and value of the cookie, wherever it stands', async () => {
    const { kube, router } = world([plain(to('stable'))], { cookie: 'who' });
    await router.route(matched);
    const { regex } = routes(kube)[0].match[0].headers.cookie;
    const whole = new RegExp(`^(?:${regex})$`);
    for (const yes of ['who=always', 'a=b; who=always', 'a=b;who=always; c=d', 'who=always;c=d']) expect(yes).toMatch(whole);
    for (const no of ['who=never', 'xwho=always', 'a=who=always', 'who=alwaysnot', 'a=b; xwho=always']) expect(no).not.toMatch(whole);
  });

  it('add nothing when neither is configured', async () => {
    const { kube, router } = world([plain(to('stable'))]);
    await router.route(matched);
    expect(kube.writes()).toEqual([]);
    expect(await router.verify(matched)).toMatchObject({ match: false, settled: true });
    expect(router.capacity(matched, 10)).toEqual({ stable: 10, canary: 0 });
  });

  it('are put right when somebody dropped one, changed one, moved them, or changed our route', async () => {
    const { kube, router } = world([other, plain(to('stable'))], config);
    await router.route(matched);
    const good = structuredClone(routes(kube));
    const [admin, header, cookie, ours] = good;
    const slower = { ...ours, timeout: '9s' };
    const cases: [object[], object[]][] = [
      [[admin, header, ours], good],
      [[admin, ours], good],
      [[admin, header, { ...cookie, timeout: '1s' }, ours], good],
      [[header, admin, cookie, ours], good],
      [[admin, ours, header, cookie], good],
      [[admin, header, header, cookie, ours], good],
      [
        [admin, header, cookie, slower],
        [admin, { ...header, timeout: '9s' }, { ...cookie, timeout: '9s' }, slower],
      ],
    ];
    for (const [http, wanted] of cases) {
      const service = kube.at('virtualservices', 'shop', 'shop');
      kube.put({ ...service, spec: { ...service.spec, http } });
      const split = await router.read();
      expect(split.match && split.settled).toBe(false);
      await expect(router.verify(matched)).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE' });
      await router.route(matched);
      expect(routes(kube)).toEqual(wanted);
    }
    await router.makeSafe();
    expect(routes(kube)).toEqual([admin, slower]);
  });

  it('are refused where our route has a condition on the same header', async () => {
    const headers = { 'X-Canary': { exact: 'no' } };
    for (const match of [[{ headers }], [{ uri: { prefix: '/' } }, { withoutHeaders: headers }]]) {
      const { kube, router } = world([{ ...plain(to('stable')), match }], { header: 'x-canary' });
      await expect(router.check()).rejects.toMatchObject({ reason: 'MATCH_TAKEN' });
      await expect(router.route(matched)).rejects.toMatchObject({ reason: 'MATCH_TAKEN' });
      expect(kube.writes()).toEqual([]);
    }
    const cookies = world([{ ...plain(to('stable')), match: [{ headers: { cookie: { regex: '.*a.*' } } }] }], { cookie: 'who' });
    await expect(cookies.router.check()).rejects.toMatchObject({
      reason: 'MATCH_TAKEN',
      next: [expect.stringContaining('traffic.header')],
    });
  });
});

describe('tls and tcp', () => {
  const tls = (sni: string, ...route: object[]) => ({ match: [{ sniHosts: [sni], port: 443 }], route });
  const tcp = (port: number, ...route: object[]) => ({ match: [{ port }], route });

  function sections(spec: object, config: object) {
    const made = world([plain(to('stable'))], config);
    const service = made.kube.at('virtualservices', 'shop', 'shop');
    made.kube.put({ ...service, spec: { ...service.spec, ...spec } });
    return { ...made, spec: () => made.kube.at('virtualservices', 'shop', 'shop').spec };
  }

  it.each([
    ['tls', 'a.example', [tls('a.example', to('stable')), tls('b.example', to('stable'))]],
    ['tcp', '3306', [tcp(3306, to('stable')), tcp(3307, to('stable'))]],
  ] as const)('%s routes are found by what they match, and split like others', async (protocol, route, listed) => {
    const { router, spec } = sections({ [protocol]: listed }, { protocol, route });
    const before = structuredClone(spec());
    const snapshot = await router.snapshot();
    await router.check();
    await router.route(at(30));
    expect(spec()[protocol][0].route).toEqual([to('stable', 70), to('canary', 30)]);
    expect(spec()[protocol][1]).toEqual(before[protocol][1]);
    expect(spec().http).toEqual(before.http);
    await router.makeSafe();
    expect(spec()[protocol][0].route).toEqual([to('stable', 100), to('canary', 0)]);
    const { kube } = sections(spec(), { protocol });
    await createRouter(kube, { ...optionsOf({ ...istio, protocol, route }), snapshot }).cleanup();
    expect(kube.at('virtualservices', 'shop', 'shop').spec).toEqual(before);
  });

  it('need the route to be said when there are several, by what they match', async () => {
    const two = { tls: [tls('a.example', to('stable')), tls('b.example', to('stable'))] };
    await expect(sections(two, { protocol: 'tls' }).router.check()).rejects.toMatchObject({ reason: 'ROUTE_AMBIGUOUS' });
    await expect(sections(two, { protocol: 'tls', route: 'c.example' }).router.check()).rejects.toMatchObject({
      reason: 'ROUTE_NOT_FOUND',
      message: expect.stringContaining('no tls route with the SNI host (`match.sniHosts`) "c.example"'),
    });
  });

  it('know no headers, cookies and copies', async () => {
    const one = { tcp: [tcp(3306, to('stable'))] };
    await expect(sections(one, { protocol: 'tcp', header: 'x-canary' }).router.check()).rejects.toMatchObject({
      reason: 'NEEDS_HTTP_ROUTE',
    });
    await expect(sections(one, { protocol: 'tcp', cookie: 'who' }).router.check()).rejects.toMatchObject({ reason: 'NEEDS_HTTP_ROUTE' });
    const { kube, router } = sections(one, { protocol: 'tcp' });
    await expect(router.route(at(10, { mirror: 5 }))).rejects.toMatchObject({ reason: 'NEEDS_HTTP_ROUTE' });
    await expect(router.writes(at(10, { mirror: 5 }))).rejects.toMatchObject({ reason: 'NEEDS_HTTP_ROUTE' });
    expect(kube.writes()).toEqual([]);
  });
});

describe('hosts', () => {
  const lead = (host: string, subset: string, weight: number) => ({ destination: { host, subset }, weight });

  it.each(['shop', 'shop.shop', 'shop.shop.svc', 'shop.shop.svc.cluster.local', 'shop.shop.svc.corp.example'])(
    '%s is the Service',
    async (host) => {
      const { kube, router } = world([plain(lead(host, 'stable', 100))]);
      await router.route(at(10));
      expect(routes(kube)[0].route).toEqual([lead(host, 'stable', 90), lead(host, 'canary', 10)]);
    },
  );

  it.each(['cart', 'shop.other', 'shop.other.svc.cluster.local', 'shop.example.com', '*'])(
    '%s is another, whatever its subsets are called',
    async (host) => {
      const { router } = world([plain(lead(host, 'stable', 100))]);
      await expect(router.check()).rejects.toMatchObject({
        reason: 'ROUTE_WITHOUT_STABLE',
        message: expect.stringContaining(`a subset of that name is there for the host ${host}`),
      });
      const mixed = world([{ name: 'other', route: [lead(host, 'stable', 100)] }, plain(to('stable'))]);
      await mixed.router.route(at(10));
      expect(routes(mixed.kube)[0].route).toEqual([lead(host, 'stable', 100)]);
      const backend = world([plain(to('stable', 90), lead(host, 'canary', 10))]);
      await expect(backend.router.check()).rejects.toMatchObject({ reason: 'ROUTE_HAS_OTHER_BACKENDS' });
    },
  );
});

describe('a route that became unsound during the rollout', () => {
  it.each([
    ['other backends', [to('stable', 60), to('beta', 30), to('canary', 10)], [70, 30, 0]],
    ['a sum that is not 100', [to('stable', 90), to('canary', 30)], [100, 0]],
  ])('%s: the way out is taken nevertheless', async (_, route, wanted) => {
    for (const way of ['makeSafe', 'cleanup', 'route'] as const) {
      const { kube, router } = world([plain(...route)]);
      expect((await router.read()).settled).toBe(false);
      await (way === 'route' ? router.route(none) : router[way]());
      expect(routes(kube)[0].route.map(({ weight }: { weight: number }) => weight)).toEqual(wanted);
      expect(await router.verify(none)).toMatchObject({ weight: 0 });
    }
  });
});
