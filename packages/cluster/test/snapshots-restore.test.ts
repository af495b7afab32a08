import { describe, expect, it } from '@jest/globals';
import type { OperationError } from '@slipway/core';
import type { KubeObject } from '../src/kube.js';
import { resources } from '../src/resources.js';
import { canonicalJson } from '../src/snapshots/canonical-json.js';
import { planRestore } from '../src/snapshots/plan-restore.js';
import { type RestoreOptions, readLive, restore } from '../src/snapshots/restore.js';
import { openSnapshot, type Snapshot } from '../src/snapshots/snapshot.js';
import { type SnapshotOptions, takeSnapshot } from '../src/snapshots/take-snapshot.js';
import { type MemoryKube, refusal } from './memory-kube.js';
import { clock, KEY, object, optionsFor, route, shop } from './snapshot-world.js';

/** A shop, its snapshot, and a bad release since. */
async function released(more: Partial<SnapshotOptions> = {}): Promise<{ kube: MemoryKube; snapshot: Snapshot; before: string }> {
  const kube = shop();
  const before = contentOf(kube);
  const { snapshot } = await takeSnapshot(kube, optionsFor(kube, more), clock);
  kube.at('deployments', 'shop', 'shop').spec.template.spec.containers[0].image = 'shop:v2';
  change(kube, 'configmaps', 'settings', { data: { LEVEL: 'debug', NEW: '1' } });
  change(kube, 'secrets', 'token', { data: { TOKEN: 'NTY3OA==' } });
  change(kube, 'virtualservices', 'shop', { spec: route(40) });
  kube.at('horizontalpodautoscalers', 'shop', 'shop').spec.minReplicas = 6;
  kube.at('destinationrules', 'shop', 'shop').spec.trafficPolicy = { tls: {} };
  await kube.remove(resources.configmaps, 'shop', 'pages');
  kube.calls.length = 0;
  return { kube, snapshot, before };
}

/** As somebody else would: with a new resource version. */
function change(kube: MemoryKube, plural: 'configmaps' | 'secrets' | 'virtualservices', name: string, fields: object): void {
  kube.put({ ...kube.at(plural, 'shop', name), ...fields });
}

const KINDS = [
  ['deployments', 'shop'],
  ['configmaps', 'settings'],
  ['configmaps', 'pages'],
  ['secrets', 'token'],
  ['services', 'shop'],
  ['horizontalpodautoscalers', 'shop'],
  ['virtualservices', 'shop'],
  ['destinationrules', 'shop'],
] as const;

/** What is to be as before, of everything. */
function contentOf(kube: MemoryKube): string {
  return canonicalJson(
    KINDS.map(([plural, name]) => {
      const { spec, data, type } = kube.at(plural, 'shop', name);
      return { plural, name, spec, data, type };
    }),
  );
}

const failure = (promise: Promise<unknown>): Promise<OperationError> =>
  promise.then(
    () => {
      throw new Error('it was to fail');
    },
    (error: OperationError) => error,
  );

const madeWrites = (kube: MemoryKube) => kube.writes().map(({ verb, plural, name }) => `${verb} ${plural}/${name}`);

describe('restore', () => {
  it('puts everything back, in the safe order, after trying each patch', async () => {
    const { kube, snapshot, before } = await released({ key: KEY });
    const order: string[] = [];
    const { changes, warnings } = await restore(kube, snapshot, {
      key: KEY,
      toStable: async () => void order.push('to stable'),
      beforeChange: async ({ words }) => void order.push(words),
      workloadReady: async ({ spec }) => void order.push(`ready ${spec.template.spec.containers[0].image}`),
    });
    expect(order).toEqual([
      'to stable',
      'VirtualService shop: spec',
      'ConfigMap pages: create',
      'ConfigMap settings: data',
      'Secret token: data',
      'Deployment shop: spec/template',
      'ready shop:v1',
      'HorizontalPodAutoscaler shop: spec',
      'DestinationRule shop: spec',
    ]);
    expect(changes).toHaveLength(7);
    expect(warnings).toEqual([]);
    expect(contentOf(kube)).toBe(before);
    expect(madeWrites(kube)).toHaveLength(14);
    expect(changes.join()).not.toContain('MTIzNA');
  });

  it('does nothing when all is so already, but sees that it serves', async () => {
    const { kube, snapshot } = await released({ key: KEY });
    await restore(kube, snapshot, { key: KEY });
    kube.calls.length = 0;
    let ready = 0;
    expect((await restore(kube, snapshot, { key: KEY, workloadReady: async () => void ready++ })).changes).toEqual([]);
    expect([kube.writes().length, ready]).toEqual([0, 1]);
  });

  it('ends the same after a crash before or after every request', async () => {
    const whole = await released({ key: KEY });
    await restore(whole.kube, whole.snapshot, { key: KEY });
    const requests = whole.kube.calls.length;
    let cuts = 0;
    for (let cut = 1; cut <= requests; cut++) {
      for (const done of [false, true]) {
        const { kube, snapshot, before } = await released({ key: KEY });
        let request = 0;
        const killed = new Error('killed');
        kube.before = () => {
          if (++request < cut) return undefined;
          if (!done || request > cut) throw killed;
          return () => {
            throw killed;
          };
        };
        await expect(restore(kube, snapshot, { key: KEY })).rejects.toBe(killed);
        kube.before = () => undefined;
        await restore(kube, snapshot, { key: KEY });
        expect(contentOf(kube)).toBe(before);
        cuts++;
      }
    }
    expect(cuts).toBeGreaterThanOrEqual(40);
  });

  it('writes nothing when one patch would be refused', async () => {
    const { kube, snapshot } = await released({ key: KEY });
    const before = kube.at('virtualservices', 'shop', 'shop').metadata.resourceVersion;
    kube.before = ({ verb, plural }) => {
      if (verb === 'patch' && plural === 'horizontalpodautoscalers') throw refusal('INVALID', 422, 'minReplicas: must be less than 1');
      return undefined;
    };
    expect((await failure(restore(kube, snapshot, { key: KEY }))).reason).toBe('INVALID');
    expect(kube.at('virtualservices', 'shop', 'shop').metadata.resourceVersion).toBe(before);
    expect(() => kube.at('configmaps', 'shop', 'pages')).toThrow();
  });

  it('takes a patch whose answer was lost for made', async () => {
    const { kube, snapshot, before } = await released({ key: KEY });
    let lost = false;
    kube.before = ({ verb, name }) => {
      if (verb !== 'patch' || name !== 'settings' || lost || kube.writes().length < 8) return undefined;
      lost = true;
      return () => {
        throw refusal('CONFLICT', 409, 'done, but the second of two equal requests is refused');
      };
    };
    await restore(kube, snapshot, { key: KEY });
    expect([lost, contentOf(kube) === before]).toEqual([true, true]);
  });

  it('decides again when somebody else writes meanwhile, and gives up on one who keeps writing', async () => {
    for (const [rivals, ends] of [
      [2, 'restored'],
      [3, 'CONFLICT'],
    ] as const) {
      const { kube, snapshot, before } = await released({ key: KEY });
      let written = 0;
      const beforeChange: RestoreOptions['beforeChange'] = async ({ name }) => {
        if (name === 'settings' && written < rivals) change(kube, 'configmaps', 'settings', { data: { LEVEL: `theirs ${++written}` } });
      };
      const ended = await restore(kube, snapshot, { key: KEY, beforeChange }).then(
        ({ changes }) => (changes.length === 7 ? 'restored' : changes),
        (error: OperationError) => error.reason,
      );
      expect(ended).toBe(ends);
      expect(contentOf(kube) === before).toBe(ends === 'restored');
    }
  });

  it('says that a Secret of which it has but a fingerprint cannot be put back, and writes nothing', async () => {
    const { kube, snapshot } = await released();
    const error = await failure(restore(kube, snapshot));
    expect(error.reason).toBe('SECRET_NOT_RESTORABLE');
    expect(error.message).toContain('Secret token has changed since, and the snapshot keeps only its fingerprint');
    expect(kube.writes()).toEqual([]);
    const { warnings } = await restore(kube, snapshot, { despiteObstacles: true });
    expect(warnings).toContainEqual(expect.stringContaining('Secret token has changed'));
    expect(kube.at('deployments', 'shop', 'shop').spec.template.spec.containers[0].image).toBe('shop:v1');
    expect(kube.at('secrets', 'shop', 'token').data).toEqual({ TOKEN: 'NTY3OA==' });
  });

  it('needs no key for a Secret that has not changed, and the key for a sealed one', async () => {
    const { kube, snapshot } = await released();
    change(kube, 'secrets', 'token', { data: { TOKEN: 'MTIzNA==' } });
    expect((await restore(kube, snapshot)).changes).toHaveLength(6);
    const sealed = await released({ key: KEY });
    const error = await failure(restore(sealed.kube, sealed.snapshot));
    expect(error.reason).toBe('SECRET_NOT_RESTORABLE');
    expect(error.next[0]).toContain('Give the key');
    const wrong = { key: Buffer.alloc(32, 8).toString('base64') };
    expect((await failure(restore(sealed.kube, sealed.snapshot, wrong))).reason).toBe('SNAPSHOT_KEY_WRONG');
    expect(sealed.kube.writes()).toEqual([]);
  });

  it('refuses what is immutable by name, or makes it again when told to, also after a crash in between', async () => {
    const { kube, snapshot, before } = await released({ key: KEY });
    kube.put(object('ConfigMap', 'settings', { immutable: true, data: { LEVEL: 'debug' } }));
    const error = await failure(restore(kube, snapshot, { key: KEY }));
    expect(error.reason).toBe('NOT_RESTORABLE');
    expect(error.message).toContain('ConfigMap settings is immutable');
    kube.before = ({ verb, name }) => {
      if (verb === 'create' && name === 'settings') throw new Error('killed');
      return undefined;
    };
    await expect(restore(kube, snapshot, { key: KEY, recreateImmutable: true })).rejects.toThrow('killed');
    expect(() => kube.at('configmaps', 'shop', 'settings')).toThrow();
    kube.before = () => undefined;
    await restore(kube, snapshot, { key: KEY, recreateImmutable: true });
    expect(contentOf(kube)).toBe(before);
  });

  it('does not touch a workload that is another by now', async () => {
    const { kube, snapshot } = await released({ key: KEY });
    kube.at('deployments', 'shop', 'shop').metadata.uid = 'another';
    expect((await failure(restore(kube, snapshot, { key: KEY }))).message).toContain('was deleted and made anew');
    await kube.remove(resources.deployments, 'shop', 'shop');
    expect((await failure(restore(kube, snapshot, { key: KEY }))).message).toContain('Deployment shop was deleted');
    expect(kube.writes().filter(({ verb }) => verb !== 'remove')).toEqual([]);
  });

  it('sends users to stable first even when the rest is refused', async () => {
    const { kube, snapshot } = await released();
    let safe = false;
    const toStable = async () => {
      safe = true;
    };
    expect((await failure(restore(kube, snapshot, { toStable }))).reason).toBe('SECRET_NOT_RESTORABLE');
    expect(safe).toBe(true);
  });
});

describe('planRestore', () => {
  const planned = async (prepare: (kube: MemoryKube) => void, more: Partial<SnapshotOptions> = {}) => {
    const kube = shop();
    const { snapshot } = await takeSnapshot(kube, optionsFor(kube, { key: KEY, ...more }), clock);
    prepare(kube);
    const opened = openSnapshot(snapshot, KEY);
    return planRestore(opened, await readLive(kube, opened));
  };

  it('restores routes last that sent users to the canary when they were taken', async () => {
    const metadata = { who: null, runUrl: null, image: null, weight: 25 };
    const { changes } = await planned(
      (kube) => {
        change(kube, 'virtualservices', 'shop', { spec: route(0) });
        kube.at('deployments', 'shop', 'shop').spec.template.spec.containers[0].image = 'shop:v2';
      },
      { metadata },
    );
    expect(changes.map(({ phase, resource }) => `${phase} ${resource.kind}`)).toEqual(['workload Deployment', 'traffic VirtualService']);
  });

  it('makes a subset before the route that leads to it', async () => {
    const { changes } = await planned((kube) => {
      kube.at('destinationrules', 'shop', 'shop').spec.subsets = [{ name: 'canary' }];
      change(kube, 'virtualservices', 'shop', { spec: route(0) });
    });
    expect(changes.map(({ phase, resource }) => `${phase} ${resource.kind}`)).toEqual(['route DestinationRule', 'route VirtualService']);
  });

  it('leaves replicas, and fields that no release changes, as they are', async () => {
    const { changes } = await planned((kube) => {
      kube.at('deployments', 'shop', 'shop').spec.replicas = 8;
      kube.at('deployments', 'shop', 'shop').metadata.labels = { team: 'x' };
      kube.at('services', 'shop', 'shop').spec.clusterIP = '10.0.0.8';
      kube.at('horizontalpodautoscalers', 'shop', 'shop').status.currentReplicas = 8;
    });
    expect(changes).toEqual([]);
  });

  it('restores a Service that was switched', async () => {
    const { changes } = await planned((kube) => {
      kube.at('services', 'shop', 'shop').spec.selector = { app: 'shop', color: 'green' };
    });
    expect(changes[0]?.patch?.body).toEqual([
      { op: 'test', path: '/spec/selector', value: { app: 'shop', color: 'green' } },
      { op: 'replace', path: '/spec/selector', value: { app: 'shop' } },
    ]);
  });

  it('warns that running pods keep the environment they began with', async () => {
    const { warnings } = await planned((kube) => change(kube, 'configmaps', 'settings', { data: {} }));
    expect(warnings).toEqual([expect.stringContaining('kubectl -n shop rollout restart deployment/shop')]);
  });

  it('removes a route that a rollout made, and no other', async () => {
    const traffic = [{ resource: resources.virtualservices, name: 'made-later' }];
    const made = (labels: object) => (kube: MemoryKube) =>
      kube.put(object('VirtualService', 'made-later', { spec: {} }, { labels, uid: 'u1' }));
    const ours = await planned(made({ 'app.kubernetes.io/managed-by': 'slipway' }), { traffic });
    expect(ours.changes).toMatchObject([{ action: 'remove', phase: 'route', uid: 'u1' }]);
    const theirs = await planned(made({}), { traffic });
    expect([theirs.changes, theirs.warnings]).toEqual([[], [expect.stringContaining('made since the snapshot by somebody else')]]);
  });

  it('restores the annotations of ingress-nginx and no others', async () => {
    const kube = shop();
    const { snapshot } = await takeSnapshot(kube, optionsFor(kube, { traffic: [], scaler: null }), clock);
    const ingress = (annotations?: Record<string, string>): KubeObject =>
      object('Ingress', 'shop', { spec: { rules: [] } }, annotations ? { annotations } : {});
    const nginx = 'nginx.ingress.kubernetes.io/canary-weight';
    const resource = { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses', kind: 'Ingress' };
    const plan = (former: KubeObject, live: KubeObject) => {
      const [entry] = snapshot.entries;
      if (!entry) throw new Error('no entry');
      const only = { ...entry, role: 'traffic' as const, resource, name: 'shop', uid: null, object: former };
      return planRestore({ ...snapshot, entries: [only] }, new Map([['ingresses.networking.k8s.io/shop', live]])).changes;
    };
    const [change] = plan(ingress({ [nginx]: '0', team: 'then' }), ingress({ [nginx]: '50', team: 'now' }));
    expect(change?.patch?.body).toContainEqual({ op: 'replace', path: '/metadata/annotations', value: { [nginx]: '0', team: 'now' } });
    expect(plan(ingress({ [nginx]: '0', team: 'then' }), ingress({ [nginx]: '0' }))).toEqual([]);
    expect(plan(ingress(), ingress())).toEqual([]);
  });
});
