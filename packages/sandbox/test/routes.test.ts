import { describe, expect, it } from '@jest/globals';
import { type Sandbox, type ShopOptions, type Stats, shop, startSandbox } from '../src/index.js';
import { api } from './api.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const nginx = 'nginx.ingress.kubernetes.io/';
const prefix = 'sandbox.slipway.dev/';

/** A shop with a canary beside it, both with Services of their own. Tests wait for the clock, so they run side by side. */
function inShop(name: string, options: ShopOptions, test: (sandbox: Sandbox) => Promise<void>): void {
  it.concurrent(name, async () => {
    const sandbox = await startSandbox({ seed: 3, readyDelay: 50, applyDelay: 200 });
    try {
      await shop(sandbox, { replicas: 2, rps: 400, namespaces: ['shop'], ...options });
      addCanary(sandbox, 'v1.4.0');
      await sandbox.until('canary ready', () => sandbox.get('Deployment', 'shop', 'shop-canary').status?.availableReplicas === 2);
      await sandbox.settled();
      await test(sandbox);
    } finally {
      await sandbox.stop();
    }
  });
}

function addCanary(sandbox: Sandbox, tag: string): void {
  const labels = { app: 'shop', track: 'canary' };
  const containers = [{ name: 'web', image: `registry.example/shop:${tag}`, ports: [{ name: 'http', containerPort: 8080 }] }];
  const template = { metadata: { labels }, spec: { containers } };
  const metadata = { name: 'shop-canary', namespace: 'shop' };
  sandbox.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  });
  sandbox.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  });
}

/** What came of a second's requests, sent when the routes written so far are in force. */
async function measure(sandbox: Sandbox): Promise<Stats> {
  await sandbox.settled();
  const from = Math.ceil(Date.now() / 1000) * 1000;
  await pause(from + 1300 - Date.now());
  return sandbox.stats('shop/shop', { from, to: from });
}

function share({ byTrack, total }: Stats): number {
  return (byTrack.canary?.sent ?? 0) / total.sent;
}

async function annotate(sandbox: Sandbox, annotations: Record<string, string>): Promise<void> {
  const named = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [prefix + key, value]));
  const answer = await api(sandbox).patch('/api/v1/namespaces/shop/services/shop', { metadata: { annotations: named } });
  expect(answer.status).toBe(200);
}

const routePath = '/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/shop';
const stableRef = { name: 'shop-stable', port: 80 };
const canaryRef = { name: 'shop-canary', port: 80 };

describe('an HTTPRoute', () => {
  const rules = (sandbox: Sandbox, value: object[]) => api(sandbox).patch(routePath, { spec: { rules: value } });
  const parent = (sandbox: Sandbox) => sandbox.get('HTTPRoute', 'shop', 'shop').status.parents[0];

  inShop('of the Service splits by weights, and says when it does', { router: 'gateway-api' }, async (sandbox) => {
    const before = Date.now();
    const backendRefs = [
      { ...stableRef, weight: 70 },
      { ...canaryRef, weight: 30 },
    ];
    expect((await rules(sandbox, [{ backendRefs }])).status).toBe(200);
    const generation = sandbox.get('HTTPRoute', 'shop', 'shop').metadata.generation;
    await sandbox.until('accepted', () => parent(sandbox).conditions[0].observedGeneration === generation);
    expect(Date.now() - before).toBeGreaterThanOrEqual(200);
    expect(parent(sandbox)).toMatchObject({
      parentRef: { kind: 'Service', name: 'shop' },
      conditions: [
        { type: 'Accepted', status: 'True' },
        { type: 'ResolvedRefs', status: 'True', observedGeneration: generation },
      ],
    });
    const stats = await measure(sandbox);
    // 400 draws at 0.3: 4 standard deviations are 9 percentage points.
    expect(Math.abs(share(stats) - 0.3)).toBeLessThan(0.1);
    expect(stats.total['2xx']).toBe(stats.total.sent);
  });

  inShop('decides by its most specific match', { router: 'gateway-api' }, async (sandbox) => {
    await annotate(sandbox, { path: '/,/cart/items?beta=1,/cart/items', header: 'x-canary: true', 'header-share': '0.3' });
    const match = (path: object, more: object = {}) => [{ path, ...more }];
    const prefixMatch = { type: 'PathPrefix', value: '/cart' };
    await rules(sandbox, [
      { matches: [{ headers: [{ name: 'X-Canary', value: 'true' }] }], backendRefs: [canaryRef] },
      { matches: match(prefixMatch), backendRefs: [stableRef] },
      { matches: match(prefixMatch, { queryParams: [{ name: 'beta', value: '1' }] }), backendRefs: [canaryRef] },
      { backendRefs: [stableRef] },
    ]);
    const stats = await measure(sandbox);
    // Below /cart the longer path outweighs the header: there only the query decides.
    const { byTrack, byHeader, total } = stats;
    const expected = total.sent / 3 + (byHeader.with?.sent ?? 0) / 3;
    expect(Math.abs((byTrack.canary?.sent ?? 0) - expected)).toBeLessThan(30);
    expect(total['2xx']).toBe(total.sent);
  });

  inShop('mirrors a share, and users meet nothing of it', { router: 'gateway-api', rps: 200 }, async (sandbox) => {
    addCanary(sandbox, 'v1.5.0-errors-100pct');
    await sandbox.until('new canary', () => {
      const { status, metadata } = sandbox.get('Deployment', 'shop', 'shop-canary');
      return (
        status.observedGeneration === metadata.generation &&
        status.updatedReplicas === 2 &&
        status.replicas === 2 &&
        status.availableReplicas === 2
      );
    });
    await sandbox.settled();
    const filters = [{ type: 'RequestMirror', requestMirror: { backendRef: canaryRef, percent: 50 } }];
    await rules(sandbox, [{ backendRefs: [stableRef], filters }]);
    const { total, mirror, byTrack, byWorkload } = await measure(sandbox);
    expect(total['2xx']).toBe(total.sent);
    expect(byTrack.canary ?? byWorkload['shop-canary']).toBeUndefined();
    expect(Math.abs(mirror.total.sent / total.sent - 0.5)).toBeLessThan(0.15);
    expect(mirror.byWorkload['shop-canary']?.['5xx']).toBe(mirror.total.sent);
    expect(Object.keys(mirror.byVersion)).toEqual(['v1.5.0-errors-100pct']);
    sandbox.setRps('shop/shop', 0);
    await pause(300);
    const counted = await Promise.all(
      sandbox.list('Pod', 'shop').map(async ({ metadata }) => {
        const { text } = await api(sandbox).get(`/api/v1/namespaces/shop/pods/${metadata.name}:8080/proxy/metrics`);
        return metadata.labels?.track === 'canary' ? Number(/http_requests_total\{code="500".*\} (\d+)/.exec(text)?.[1] ?? 0) : 0;
      }),
    );
    expect(counted.reduce((a, b) => a + b)).toBe(sandbox.stats('shop/shop').mirror.total.sent);
  });

  inShop('to a Service that is not there is answered 500, and says so', { router: 'gateway-api' }, async (sandbox) => {
    await rules(sandbox, [{ backendRefs: [{ name: 'nobody', port: 80 }] }]);
    const { total } = await measure(sandbox);
    expect(total.codes).toEqual({ 500: total.sent });
    expect(total.noRoute).toBe(total.sent);
    expect(parent(sandbox).conditions[1]).toMatchObject({ type: 'ResolvedRefs', status: 'False', reason: 'BackendNotFound' });
  });

  inShop('of a Gateway is found by its hostname', { router: 'gateway-api' }, async (sandbox) => {
    await annotate(sandbox, { host: 'shop.example.com' });
    const spec = { parentRefs: [{ name: 'public' }], hostnames: ['*.example.com'], rules: [{ backendRefs: [canaryRef] }] };
    sandbox.remove('HTTPRoute', 'shop', 'shop');
    sandbox.apply({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name: 'web', namespace: 'shop' }, spec });
    expect(share(await measure(sandbox))).toBe(1);
    await annotate(sandbox, { host: 'other.example.net' });
    expect(share(await measure(sandbox))).toBeLessThan(0.6);
  });

  inShop('to a track without ready pods costs its users', { router: 'gateway-api' }, async (sandbox) => {
    await rules(sandbox, [
      {
        backendRefs: [
          { ...stableRef, weight: 50 },
          { ...canaryRef, weight: 50 },
        ],
      },
    ]);
    sandbox.remove('Deployment', 'shop', 'shop-canary');
    await pause(700);
    const { total, byService } = await measure(sandbox);
    expect(total.noEndpoints / total.sent).toBeGreaterThan(0.3);
    expect(total.codes['503']).toBe(total.noEndpoints);
    expect(byService['shop-canary']?.noEndpoints).toBe(total.noEndpoints);
  });
});

describe("nginx's canary Ingress", () => {
  const canaryIngress = (sandbox: Sandbox, annotations: Record<string, string>) => {
    const named = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${nginx}canary-${key}`, value]));
    const { spec } = sandbox.get('Ingress', 'shop', 'shop');
    const [{ host, http }] = spec.rules;
    const backend = { service: { name: 'shop-canary', port: { name: 'http' } } };
    const rules = [{ host, http: { paths: [{ ...http.paths[0], backend }] } }];
    const metadata = { name: 'shop-canary', namespace: 'shop', annotations: { [`${nginx}canary`]: 'true', ...named } };
    sandbox.apply({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec: { ...spec, rules } });
  };

  inShop('splits by weight of the total', { router: 'nginx' }, async (sandbox) => {
    expect(share(await measure(sandbox))).toBe(0);
    canaryIngress(sandbox, { weight: '1', 'weight-total': '5' });
    expect(Math.abs(share(await measure(sandbox)) - 0.2)).toBeLessThan(0.09);
  });

  inShop('by header, by its value, by pattern', { router: 'nginx' }, async (sandbox) => {
    await annotate(sandbox, { header: 'x-canary: always', 'header-share': '0.5' });
    canaryIngress(sandbox, { 'by-header': 'X-Canary' });
    const always = await measure(sandbox);
    expect(always.byTrack.canary?.sent).toBe(always.byHeader.with?.sent);
    canaryIngress(sandbox, { 'by-header': 'X-Canary', 'by-header-value': 'beta', weight: '0' });
    expect(share(await measure(sandbox))).toBe(0);
    canaryIngress(sandbox, { 'by-header': 'X-Canary', 'by-header-pattern': 'al.*s' });
    const pattern = await measure(sandbox);
    expect(pattern.byTrack.canary?.sent).toBe(pattern.byHeader.with?.sent);
  });

  inShop('by cookie, which outweighs the weight', { router: 'nginx' }, async (sandbox) => {
    await annotate(sandbox, { cookie: 'theme=dark; canary=never', 'header-share': '0.5' });
    canaryIngress(sandbox, { 'by-cookie': 'canary', weight: '100' });
    const { byTrack, byHeader } = await measure(sandbox);
    expect(byTrack.stable?.sent).toBe(byHeader.with?.sent);
    expect(byTrack.canary?.sent).toBe(byHeader.without?.sent);
  });
});

describe('a VirtualService', () => {
  const path = '/apis/networking.istio.io/v1/namespaces/shop/virtualservices/shop';
  const to = (subset: string, weight = 100) => ({ destination: { host: 'shop', subset }, weight });

  inShop('mirrors, singly and severally', { router: 'istio', rps: 200 }, async (sandbox) => {
    const mirror = { host: 'shop', subset: 'canary' };
    await api(sandbox).patch(path, { spec: { http: [{ route: [to('stable')], mirror, mirrorPercentage: { value: 25 } }] } });
    const single = await measure(sandbox);
    expect(Math.abs(single.mirror.total.sent / single.total.sent - 0.25)).toBeLessThan(0.13);
    expect(share(single)).toBe(0);
    const mirrors = [{ destination: mirror, percentage: { value: 100 } }, { destination: mirror }];
    await api(sandbox).patch(path, { spec: { http: [{ route: [to('stable')], mirrors }] } });
    const both = await measure(sandbox);
    expect(both.mirror.total.sent).toBe(2 * both.total.sent);
  });

  inShop(
    'has its first matching route decide, by cookie too; the oldest of a host alone is heard',
    { router: 'istio' },
    async (sandbox) => {
      await annotate(sandbox, { cookie: 'a=1; tester=yes', 'header-share': '0.25' });
      const cookie = { cookie: { regex: '^(.*?;)?\\s*(tester=yes)(;.*)?$' } };
      const http = [{ match: [{ headers: cookie }], route: [to('canary')] }, { route: [to('stable')] }];
      await api(sandbox).patch(path, { spec: { http } });
      await pause(1000);
      const second = { hosts: ['shop.shop.svc.cluster.local'], http: [{ route: [to('canary')] }] };
      sandbox.apply({
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        metadata: { name: 'another', namespace: 'shop' },
        spec: second,
      });
      const { byTrack, byHeader } = await measure(sandbox);
      expect(byHeader.with?.sent).toBeGreaterThan(0);
      expect(byTrack.canary?.sent).toBe(byHeader.with?.sent);
    },
  );
});

describe('a Service', () => {
  inShop('switches by its selector', { router: 'service' }, async (sandbox) => {
    expect(share(await measure(sandbox))).toBe(0);
    await api(sandbox).patch('/api/v1/namespaces/shop/services/shop', { spec: { selector: { app: 'shop', track: 'canary' } } });
    expect(share(await measure(sandbox))).toBe(1);
    const [slice] = sandbox
      .list('EndpointSlice', 'shop')
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'shop');
    expect(slice?.endpoints).toHaveLength(2);
    expect(slice?.endpoints[0]).toMatchObject({ conditions: { ready: true, terminating: false }, targetRef: { kind: 'Pod' } });
    expect(slice?.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
  });

  inShop('of a port where no pod listens is refused', { router: 'replicas' }, async (sandbox) => {
    await api(sandbox).patch('/api/v1/namespaces/shop/services/shop', { spec: { ports: [{ name: 'http', port: 80, targetPort: 9999 }] } });
    const { total } = await measure(sandbox);
    expect(total.refused).toBe(total.sent);
  });
});
