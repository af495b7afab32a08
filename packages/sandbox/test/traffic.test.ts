import { describe, expect, it } from '@jest/globals';
import { type KubeObject, type Sandbox, type SandboxOptions, type ShopOptions, type Stats, shop, startSandbox } from '../src/index.js';
import { api } from './api.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const virtualService = '/apis/networking.istio.io/v1/namespaces/shop/virtualservices/shop';

interface Scene extends ShopOptions {
  /** Tag of a canary beside the shop. */
  canary?: string;
  world?: SandboxOptions;
}

/** A shop of three pods and 400 requests a second, for one test. */
class World {
  private constructor(readonly sandbox: Sandbox) {}

  static async start({ canary, world, ...options }: Scene): Promise<World> {
    const sandbox = await startSandbox({ seed: 11, readyDelay: 50, ...world });
    await shop(sandbox, { replicas: 3, rps: 400, namespaces: ['shop'], ...options });
    if (canary) {
      sandbox.apply(canaryManifest(sandbox, canary));
      await sandbox.until('canary ready', () => sandbox.get('Deployment', 'shop', 'shop-canary').status?.availableReplicas === 2);
    }
    return new World(sandbox);
  }

  async route(stable: number, canary: number): Promise<void> {
    const to = (subset: string, weight: number) => ({ destination: { host: 'shop', subset }, weight });
    const http = [{ name: 'primary', route: [to('stable', stable), to('canary', canary)] }];
    const answer = await api(this.sandbox).patch(virtualService, { spec: { http } });
    expect(answer.status).toBe(200);
  }

  /** From the next whole second on for so many seconds, when the last request has ended. */
  async measure(seconds: number): Promise<Stats> {
    const from = Math.ceil(Date.now() / 1000) * 1000;
    await pause(from + seconds * 1000 - Date.now() + 250);
    return this.sandbox.stats('shop/shop', { from, to: from + (seconds - 1) * 1000, seconds: true });
  }
}

function canaryManifest(sandbox: Sandbox, tag: string): object {
  const { spec } = sandbox.get('Deployment', 'shop', 'shop');
  const labels = { app: 'shop', track: 'canary' };
  const containers = spec.template.spec.containers.map((one: object) => ({ ...one, image: `registry.example/shop:${tag}` }));
  const template = { metadata: { labels }, spec: { containers } };
  const metadata = { name: 'shop-canary', namespace: 'shop' };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 2, selector: { matchLabels: labels }, template } };
}

/** Tests wait for the clock, not for the processor: they run side by side. */
function inWorld(name: string, scene: Scene, test: (world: World) => Promise<void>): void {
  it.concurrent(name, async () => {
    const world = await World.start(scene);
    try {
      await test(world);
    } finally {
      await world.sandbox.stop();
    }
  });
}

describe('the split', () => {
  inWorld('follows the weights, and not before the delay', { canary: 'v1.4.0', world: { applyDelay: 400 } }, async (world) => {
    const { sandbox } = world;
    const before = Date.now();
    await world.route(75, 25);
    await pause(300);
    expect(sandbox.stats('shop/shop').byTrack.canary).toBeUndefined();
    await sandbox.until('canary met', () => (sandbox.stats('shop/shop').byTrack.canary?.sent ?? 0) > 0, 1000);
    expect(Date.now() - before).toBeGreaterThanOrEqual(400);
    const { byTrack, total, seconds, dropped } = await world.measure(3);
    expect(total.sent + dropped).toBeGreaterThanOrEqual(1190);
    expect(total.sent).toBeLessThanOrEqual(1210);
    // 1200 draws at 0.25: 4 standard deviations are 5 percentage points.
    expect(Math.abs((byTrack.canary?.sent ?? 0) / total.sent - 0.25)).toBeLessThan(0.05);
    expect(total['2xx']).toBe(total.sent);
    expect(seconds?.map(({ total: one }) => one.sent).reduce((a, b) => a + b)).toBe(total.sent);
    const shown = await (await fetch(`${sandbox.statsUrl}/routes?service=shop/shop`)).json();
    expect(shown).toMatchObject({
      route: 'VirtualService shop/shop primary',
      targets: [
        { subset: 'stable', weight: 75 },
        { subset: 'canary', weight: 25 },
      ],
    });
  });

  inWorld('sends requests with the header to the canary', { canary: 'v1.4.0', headerShare: 0.2 }, async (world) => {
    const { sandbox } = world;
    const header = {
      name: 'header',
      match: [{ headers: { 'x-canary': { exact: 'true' } } }],
      route: [{ destination: { host: 'shop', subset: 'canary' } }],
    };
    const patch = [{ op: 'add', path: '/spec/http/0', value: header }];
    await api(sandbox).patch(virtualService, patch, 'application/json-patch+json');
    await sandbox.settled();
    const { byTrack, byHeader } = await world.measure(1);
    expect(byHeader.with?.sent).toBeGreaterThan(0);
    expect(byTrack.canary?.sent).toBe(byHeader.with?.sent);
    expect(byTrack.stable?.sent).toBe(byHeader.without?.sent);
  });

  inWorld('without a mesh is even over ready pods', { canary: 'v1.4.0', router: 'replicas', trackLabels: true }, async (world) => {
    const { sandbox } = world;
    await sandbox.settled();
    const { byPod, byTrack, total } = await world.measure(1);
    expect(Object.keys(byPod)).toHaveLength(5);
    expect(Math.abs((byTrack.canary?.sent ?? 0) / total.sent - 0.4)).toBeLessThan(0.02);
  });
});

describe('the sandbox does not flatter', () => {
  inWorld('a canary removed while it has weight costs its users', { canary: 'v1.4.0' }, async (world) => {
    const { sandbox } = world;
    await world.route(50, 50);
    await sandbox.settled();
    await api(sandbox).delete('/apis/apps/v1/namespaces/shop/deployments/shop-canary');
    await pause(800);
    const { total } = await world.measure(1);
    expect(total.noEndpoints / total.sent).toBeGreaterThan(0.35);
  });

  inWorld(
    'pods that end before clients know refuse',
    { router: 'replicas', world: { stopDelay: 0, endpointDelay: 400 } },
    async (world) => {
      const { sandbox } = world;
      for (const pod of sandbox.list('Pod', 'shop').slice(0, 2)) sandbox.remove('Pod', 'shop', pod.metadata.name);
      await pause(900);
      expect(sandbox.stats('shop/shop').total.refused).toBeGreaterThan(20);
    },
  );

  inWorld('an unknown subset, and a route without destinations, are failures', {}, async (world) => {
    const { sandbox } = world;
    await world.route(0, 100);
    sandbox.remove('DestinationRule', 'shop', 'shop');
    await sandbox.settled();
    const unknown = (await world.measure(1)).total;
    expect(unknown.sent).toBeGreaterThan(0);
    expect(unknown.noRoute).toBe(unknown.sent);
    expect(unknown.codes).toEqual({ 503: unknown.sent });
    await api(sandbox).patch(virtualService, { spec: { http: [] } });
    await sandbox.settled();
    const nowhere = (await world.measure(1)).total;
    expect(nowhere.sent).toBeGreaterThan(0);
    expect(nowhere.codes).toEqual({ 404: nowhere.sent });
  });

  inWorld(
    'requests in flight break when their pod crashes',
    { router: 'replicas', image: 'registry.example/shop:v1-p50-900ms-crashevery-2s' },
    async (world) => {
      const { sandbox } = world;
      await pause(2500);
      expect(sandbox.stats('shop/shop').total.resets).toBeGreaterThan(10);
    },
  );

  inWorld(
    'hanging requests are time-outs',
    { router: 'replicas', image: 'registry.example/shop:v1-hangs-50pct', rps: 100 },
    async ({ sandbox }) => {
      const annotations = { 'sandbox.slipway.dev/timeout': '300ms' };
      await api(sandbox).patch('/api/v1/namespaces/shop/services/shop', { metadata: { annotations } });
      await pause(1500);
      const { total } = sandbox.stats('shop/shop');
      expect(total.timeouts).toBeGreaterThan(20);
      expect(total.codes['504']).toBe(total.timeouts);
    },
  );
});

describe('what pods do by their tags', () => {
  inWorld('errors and slowness at the rates asked for', { canary: 'v2-errors-20pct-slow-3x' }, async (world) => {
    const { sandbox } = world;
    await world.route(50, 50);
    await sandbox.settled();
    const { byTrack } = await world.measure(3);
    const canary = byTrack.canary;
    expect(Math.abs((canary?.['5xx'] ?? 0) / (canary?.sent ?? 1) - 0.2)).toBeLessThan(0.07);
    expect(byTrack.stable?.['5xx']).toBe(0);
    const ratio = (canary?.latencyMs?.p50 ?? 0) / (byTrack.stable?.latencyMs?.p50 ?? 1);
    expect(ratio).toBeGreaterThan(2.5);
    expect(ratio).toBeLessThan(3.5);
  });

  inWorld('only some pods bad', { canary: 'v2-errors-100pct-1bad' }, async (world) => {
    const { sandbox } = world;
    await world.route(0, 100);
    await sandbox.settled();
    const { byPod } = await world.measure(1);
    const rates = Object.values(byPod).map((pod) => pod['5xx'] / pod.sent);
    expect(rates.sort()).toEqual([0, 1]);
  });
});

describe('metrics', () => {
  const read = async (sandbox: Sandbox, pod: KubeObject) => {
    const answer = await api(sandbox).get(`/api/v1/namespaces/shop/pods/${pod.metadata.name}:8080/proxy/metrics`);
    expect(answer.status).toBe(200);
    const value = (pattern: RegExp) => [...answer.text.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
    return { text: answer.text, value };
  };

  inWorld('equal what users met, pod by pod', { canary: 'v2-errors-20pct', router: 'replicas', trackLabels: true }, async (world) => {
    const { sandbox } = world;
    await pause(800);
    sandbox.setRps('shop/shop', 0);
    await pause(300);
    const { byPod, total } = sandbox.stats('shop/shop');
    expect(total.inFlight).toBe(0);
    for (const pod of sandbox.list('Pod', 'shop')) {
      const { value, text } = await read(sandbox, pod);
      const met = byPod[pod.metadata.name];
      expect(value(/^http_requests_total\{code="200",method="GET",path="\/"\} (\d+)$/gm)).toBe(met?.['2xx'] ?? 0);
      expect(value(/^http_requests_total\{code="500",.*\} (\d+)$/gm)).toBe(met?.['5xx'] ?? 0);
      expect(value(/^http_request_duration_seconds_count\{.*\} (\d+)$/gm)).toBe(met?.sent ?? 0);
      expect(value(/^http_request_duration_seconds_bucket\{.*le="\+Inf"\} (\d+)$/gm)).toBe(met?.sent ?? 0);
      expect(text.match(/_bucket/g)).toHaveLength(12);
      expect(text).toMatch(/^process_start_time_seconds \d+/m);
    }
  });

  inWorld(
    'begin at zero after a restart, and are refused while the container is down',
    { router: 'replicas', image: 'registry.example/shop:v1-crashevery-1s', rps: 100 },
    async (world) => {
      const { sandbox } = world;
      const [pod] = sandbox.list('Pod', 'shop') as [KubeObject];
      const restarts = () => sandbox.get('Pod', 'shop', pod.metadata.name).status.containerStatuses[0].restartCount;
      await sandbox.until(
        'second crash',
        () => restarts() === 1 && sandbox.get('Pod', 'shop', pod.metadata.name).status.containerStatuses[0].state.waiting !== undefined,
      );
      const down = await api(sandbox).get(`/api/v1/namespaces/shop/pods/${pod.metadata.name}:8080/proxy/metrics`);
      expect([down.status, down.body.reason]).toEqual([503, 'ServiceUnavailable']);
      expect(down.body.message).toMatch(/^error trying to reach service: dial tcp 10\.244\.\d+\.\d+:8080: connect: connection refused$/);
      await sandbox.until('third run', () => restarts() === 2);
      const { value } = await read(sandbox, pod);
      expect(value(/^http_requests_total\{.*\} (\d+)$/gm)).toBeLessThan(sandbox.stats('shop/shop').byPod[pod.metadata.name]?.['2xx'] ?? 0);
    },
  );

  inWorld("are served on the pod's own ports only, by number", { rps: 10 }, async (world) => {
    const { sandbox } = world;
    const [pod] = sandbox.list('Pod', 'shop') as [KubeObject];
    const path = (port: string) => `/api/v1/namespaces/shop/pods/${pod.metadata.name}${port}/proxy/metrics`;
    expect((await api(sandbox).get(path(''))).status).toBe(200);
    expect((await api(sandbox).get(path(':9090'))).status).toBe(503);
    expect((await api(sandbox).get(path(':http'))).status).toBe(503);
  });
});
