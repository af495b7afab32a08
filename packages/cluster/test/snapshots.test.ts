import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { OperationError, UsageError } from '@slipway/core';
import { resources } from '../src/resources.js';
import { canonicalJson } from '../src/snapshots/canonical-json.js';
import { inParallel } from '../src/snapshots/in-parallel.js';
import { referencedConfig } from '../src/snapshots/referenced-config.js';
import { fingerprintSecret, hasFingerprint, openSecret, sealSecret, snapshotKey } from '../src/snapshots/seal-secret.js';
import { openSnapshot, type Snapshot } from '../src/snapshots/snapshot.js';
import { listSnapshots, readSnapshot } from '../src/snapshots/snapshot-store.js';
import { stripObject } from '../src/snapshots/strip-object.js';
import { takeSnapshot } from '../src/snapshots/take-snapshot.js';
import { type MemoryKube, memoryKube, refusal } from './memory-kube.js';
import { deployment } from './objects.js';
import { clock, KEY, object, optionsFor, shop } from './snapshot-world.js';

async function failure(promise: Promise<unknown>): Promise<OperationError> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OperationError);
  return error as OperationError;
}

const stored = (kube: MemoryKube) => canonicalJson(kube.calls.filter(({ verb }) => verb !== 'get' && verb !== 'list'));

describe('takeSnapshot', () => {
  it('keeps all that a release may change, without what the server writes', async () => {
    const kube = shop();
    const { snapshot, name, sha256, warnings } = await takeSnapshot(kube, optionsFor(kube, { record: { split: 'all stable' } }), clock);
    expect(warnings).toEqual([]);
    expect(snapshot.entries.map(({ role, resource, name: of, state }) => `${role} ${resource.kind} ${of} ${state}`)).toEqual([
      'workload Deployment shop kept',
      'config ConfigMap pages kept',
      'config ConfigMap settings kept',
      'secret Secret token fingerprint',
      'scaler HorizontalPodAutoscaler shop kept',
      'service Service shop kept',
      'traffic VirtualService shop kept',
      'traffic DestinationRule shop kept',
    ]);
    for (const { object: kept } of snapshot.entries) {
      for (const field of ['status', 'resourceVersion', 'uid', 'managedFields'])
        expect(canonicalJson([kept, kept?.metadata])).not.toContain(`"${field}":`);
    }
    expect(await readSnapshot(kube, 'shop', { name, sha256, id: 'shop-1' })).toEqual(snapshot);
    expect(snapshot).toMatchObject({
      at: '2026-11-22T19:05:01.000Z',
      metadata: { who: 'ada', weight: 0 },
      record: { split: 'all stable' },
    });
  });

  it('costs a plain workload six requests the first time, five later, and never more than 8 at once', async () => {
    const kube = memoryKube(deployment(), object('Service', 'shop', { spec: {} }));
    const options = optionsFor(kube, { traffic: [] });
    await takeSnapshot(kube, options, clock);
    expect(kube.requests).toEqual({ list: 1, get: 3, create: 2 });
    kube.calls.length = 0;
    await takeSnapshot(kube, { ...options, id: 'shop-2', scaler: null }, clock);
    expect(kube.calls.map(({ verb, name }) => `${verb} ${name}`)).toEqual([
      'get shop',
      'get slipway-shop-snapshot',
      'create slipway-shop-snapshot-2',
      'patch slipway-shop-snapshot',
    ]);
    kube.calls.length = 0;
    const service = kube.at('services', 'shop', 'shop');
    const { snapshot } = await takeSnapshot(kube, { ...options, id: 'shop-3', scaler: null, service, traffic: [service] }, clock);
    expect(kube.calls.map(({ verb }) => verb)).toEqual(['get', 'create', 'patch']);
    expect(snapshot.entries.map(({ resource }) => resource.plural)).toEqual(['deployments', 'services', 'services']);
  });

  it('takes 50 objects in 10 round trips: half a second at 50 ms each', async () => {
    const workload = deployment();
    const names = Array.from({ length: 47 }, (_, index) => `config-${index}`);
    workload.spec.template.spec.containers[0].envFrom = names.map((name) => ({ configMapRef: { name } }));
    const kube = memoryKube(workload, object('Service', 'shop'), ...names.map((name) => object('ConfigMap', name, { data: { name } })));
    const { rounds, most } = countRounds(kube);
    const taken = await takeSnapshot(
      kube,
      optionsFor(kube, { scaler: null, traffic: [{ resource: resources.virtualservices, name: 'v' }] }),
      clock,
    );
    expect(taken.snapshot.entries).toHaveLength(50);
    expect(rounds()).toBeLessThanOrEqual(11);
    expect(most()).toBe(8);
  });

  it('leaves out what may not be read, and says which right is missing', async () => {
    const kube = shop();
    kube.before = ({ plural, name }) => {
      if (plural === 'secrets') throw refusal('FORBIDDEN', 403, `may not get secrets "${name}"`);
      return undefined;
    };
    const { snapshot, warnings } = await takeSnapshot(kube, optionsFor(kube), clock);
    expect(warnings).toEqual(['Secret token is not in the snapshot: may not get secrets "token"']);
    expect(snapshot.entries.find(({ role }) => role === 'secret')).toMatchObject({ state: 'unread', object: null, secret: null });
  });

  it('fails when the API server does, and when the workload is not there', async () => {
    const kube = shop();
    kube.before = ({ plural }) => {
      if (plural === 'services') throw refusal('API_UNAVAILABLE', 503, 'down');
      return undefined;
    };
    expect((await failure(takeSnapshot(kube, optionsFor(kube), clock))).reason).toBe('API_UNAVAILABLE');
    expect(kube.writes()).toEqual([]);
    const workload = { resource: resources.deployments, name: 'gone' };
    expect((await failure(takeSnapshot(shop(), optionsFor(shop(), { workload }), clock))).reason).toBe('WORKLOAD_NOT_FOUND');
  });

  it('packs what is large, and refuses what does not fit, naming the largest', async () => {
    const kube = shop();
    kube.at('configmaps', 'shop', 'pages').data = { text: 'hello '.repeat(100_000) };
    const packed = await takeSnapshot(kube, optionsFor(kube), clock);
    const holder = kube.at('configmaps', 'shop', packed.name);
    expect(holder.data).toEqual({});
    expect(Object.keys(holder.binaryData)).toEqual(['snapshot.json.gz']);
    expect(await readSnapshot(kube, 'shop', packed)).toEqual(packed.snapshot);
    const writes = kube.writes().length;
    kube.at('configmaps', 'shop', 'pages').data = { noise: randomBytes(1_000_000).toString('base64') };
    const error = await failure(takeSnapshot(kube, optionsFor(kube, { id: 'shop-2' }), clock));
    expect(error.reason).toBe('SNAPSHOT_TOO_LARGE');
    expect(error.message).toContain('The largest in it: ConfigMap pages (1303 KiB)');
    expect(kube.writes()).toHaveLength(writes);
  });

  it('goes on from a text to a packed one in the same place', async () => {
    const kube = shop();
    await takeSnapshot(kube, optionsFor(kube, { maxSnapshots: 1 }), clock);
    kube.at('configmaps', 'shop', 'pages').data = { text: 'hello '.repeat(100_000) };
    const second = await takeSnapshot(kube, optionsFor(kube, { id: 'shop-2', maxSnapshots: 1 }), clock);
    expect(second.name).toBe('slipway-shop-snapshot-1');
    expect((await readSnapshot(kube, 'shop', second)).id).toBe('shop-2');
  });
});

describe('the list of snapshots', () => {
  const take = (kube: MemoryKube, id: string, more: { maxSnapshots?: number; inUse?: string[] } = {}) =>
    takeSnapshot(kube, optionsFor(kube, { id, scaler: null, traffic: [], maxSnapshots: 3, ...more }), clock);
  const ids = async (kube: MemoryKube) => (await listSnapshots(kube, 'shop', 'shop')).map(({ id }) => id);

  it('keeps the newest in fixed places, and never takes the place of one in use', async () => {
    const kube = shop();
    const first = await take(kube, 'a');
    for (const id of ['b', 'c', 'd']) await take(kube, id, { inUse: ['a'] });
    expect(await ids(kube)).toEqual(['d', 'c', 'b', 'a']);
    expect((await readSnapshot(kube, 'shop', first)).id).toBe('a');
    const fifth = await take(kube, 'e');
    expect(await ids(kube)).toEqual(['e', 'd', 'c']);
    expect(fifth.name).toBe('slipway-shop-snapshot-1');
    expect((await failure(readSnapshot(kube, 'shop', first))).reason).toBe('SNAPSHOT_NOT_FOUND');
    for (const listed of await listSnapshots(kube, 'shop', 'shop')) expect((await readSnapshot(kube, 'shop', listed)).id).toBe(listed.id);
  });

  it('frees places when fewer are kept, if it may', async () => {
    const kube = shop();
    for (const id of ['a', 'b', 'c']) await take(kube, id);
    await take(kube, 'd', { maxSnapshots: 1 });
    expect(await ids(kube)).toEqual(['d']);
    expect(() => kube.at('configmaps', 'shop', 'slipway-shop-snapshot-3')).toThrow();
    for (const id of ['e', 'f']) await take(kube, id);
    kube.before = ({ verb }) => {
      if (verb === 'remove') throw refusal('FORBIDDEN', 403, 'may not delete configmaps');
      return undefined;
    };
    expect((await take(kube, 'g', { maxSnapshots: 1 })).warnings).toContainEqual(expect.stringContaining('stays: may not delete'));
  });

  it('is whole again after a crash at any request', async () => {
    for (let cut = 1; cut <= 4; cut++) {
      for (const done of [false, true]) {
        const kube = shop();
        for (const id of ['a', 'b', 'c']) await take(kube, id);
        let writes = 0;
        kube.before = ({ verb }) => {
          if (verb === 'get' || verb === 'list' || ++writes !== cut) return undefined;
          if (!done) throw new Error('killed');
          return () => {
            throw new Error('killed');
          };
        };
        await take(kube, 'd').catch(() => undefined);
        kube.before = () => undefined;
        for (const listed of await listSnapshots(kube, 'shop', 'shop')) {
          const read = await readSnapshot(kube, 'shop', listed).catch((error: OperationError) => error.reason);
          expect([listed.id, 'SNAPSHOT_NOT_FOUND']).toContain(typeof read === 'string' ? read : read.id);
        }
        await take(kube, 'd');
        expect(await ids(kube)).toEqual(['d', 'c', 'b']);
        for (const listed of await listSnapshots(kube, 'shop', 'shop'))
          expect((await readSnapshot(kube, 'shop', listed)).id).toBe(listed.id);
      }
    }
  });

  it('makes a place again that was deleted by hand', async () => {
    const kube = shop();
    await take(kube, 'a', { maxSnapshots: 1 });
    await kube.remove(resources.configmaps, 'shop', 'slipway-shop-snapshot-1');
    await take(kube, 'b', { maxSnapshots: 1 });
    expect(await ids(kube)).toEqual(['b']);
  });

  it('refuses to go by a list that was edited by hand', async () => {
    const kube = shop();
    await take(kube, 'a');
    kube.at('configmaps', 'shop', 'slipway-shop-snapshot').data['index.json'] = '{"schema":1,"snapshots":[{"id":7}]}';
    expect((await failure(take(kube, 'b'))).reason).toBe('STATE_CORRUPT');
  });
});

describe('readSnapshot', () => {
  const edit = async (change: (snapshot: Snapshot & { schema: number }) => void) => {
    const kube = shop();
    const taken = await takeSnapshot(kube, optionsFor(kube), clock);
    const holder = kube.at('configmaps', 'shop', taken.name);
    const snapshot = JSON.parse(holder.data['snapshot.json']);
    change(snapshot);
    holder.data['snapshot.json'] = canonicalJson(snapshot);
    return failure(readSnapshot(kube, 'shop', taken));
  };

  it('believes nothing that was changed', async () => {
    const image = await edit(({ entries }) => {
      const workload = entries[0]?.object;
      if (workload) workload.spec.template.spec.containers[0].image = 'evil:v1';
    });
    expect(image.reason).toBe('SNAPSHOT_TAMPERED');
    expect(image.message).toContain('Deployment shop in it is not what was taken');
    const weight = await edit(({ metadata }) => Object.assign(metadata, { weight: 50 }));
    expect(weight.message).toContain('its checksum is not the one');
    expect((await edit((snapshot) => Object.assign(snapshot, { entries: null }))).reason).toBe('SNAPSHOT_TAMPERED');
    expect((await edit((snapshot) => Object.assign(snapshot, { schema: 3 }))).reason).toBe('SNAPSHOT_NEWER');
  });

  it.each([
    [{ data: { 'snapshot.json': 'no json' } }, 'SNAPSHOT_TAMPERED'],
    [{ data: { 'snapshot.json': 'null' } }, 'SNAPSHOT_TAMPERED'],
    [{ binaryData: { 'snapshot.json.gz': 'AAAA' } }, 'SNAPSHOT_NOT_FOUND'],
    [{ data: {} }, 'SNAPSHOT_NOT_FOUND'],
  ])('refuses %j', async (content, reason) => {
    const kube = memoryKube(object('ConfigMap', 's', content));
    expect((await failure(readSnapshot(kube, 'shop', { name: 's', sha256: '0' }))).reason).toBe(reason);
  });

  it('says when it is gone', async () => {
    expect((await failure(readSnapshot(shop(), 'shop', { name: 'slipway-shop-snapshot-1', sha256: '0' }))).reason).toBe(
      'SNAPSHOT_NOT_FOUND',
    );
  });
});

describe('Secrets', () => {
  const secret = object('Secret', 'token', { type: 'Opaque', data: { PIN: 'MTIzNA==' } }, { uid: 'b7c1' });

  it('are never stored readable, with a key or without', async () => {
    for (const key of [undefined, KEY, 'a passphrase of some length']) {
      const kube = shop();
      kube.at('secrets', 'shop', 'token').metadata.annotations = {
        'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"TOKEN":"MTIzNA=="}}',
      };
      const uid = kube.at('secrets', 'shop', 'token').metadata.uid ?? '';
      const taken = await takeSnapshot(kube, optionsFor(kube, key === undefined ? {} : { key }), clock);
      for (const clear of ['MTIzNA', '1234', uid, ...(key === undefined ? [] : [key])]) expect(stored(kube)).not.toContain(`"${clear}"`);
      expect(stored(kube)).not.toContain('MTIzNA');
      const opened = openSnapshot(await readSnapshot(kube, 'shop', taken), key).entries.find(({ role }) => role === 'secret');
      expect(opened?.object?.data).toEqual(key === undefined ? undefined : { TOKEN: 'MTIzNA==' });
    }
  });

  it('open with their key, in their place, unchanged, and not otherwise', () => {
    const key = snapshotKey(KEY, '');
    const sealed = sealSecret(secret, key, 'here');
    expect(openSecret(sealed, key, 'here')).toEqual(secret);
    expect(openSecret(sealed, key, 'there')).toBeUndefined();
    expect(openSecret(sealed, Buffer.alloc(32), 'here')).toBeUndefined();
    expect(openSecret({ ...sealed, data: sealSecret(secret, key, 'here').data }, key, 'here')).toBeUndefined();
    expect(openSecret({ ...sealed, tag: sealed.tag.slice(0, 8) }, key, 'here')).toBeUndefined();
    expect(sealSecret(secret, key, 'here').nonce).not.toBe(sealed.nonce);
  });

  it('have a fingerprint that needs the uid, and differs each time', () => {
    const print = fingerprintSecret(secret);
    expect(hasFingerprint(secret, print)).toBe(true);
    expect(fingerprintSecret(secret).hmac).not.toBe(print.hmac);
    expect(hasFingerprint({ ...secret, data: { PIN: 'MTIzNQ==' } }, print)).toBe(false);
    expect(hasFingerprint({ ...secret, metadata: { ...secret.metadata, uid: 'other' } }, print)).toBe(false);
    expect(hasFingerprint({ ...secret, metadata: { ...secret.metadata, labels: { a: 'b' } } }, print)).toBe(true);
    const { uid: _uid, ...nameless } = secret.metadata;
    expect(hasFingerprint({ ...secret, metadata: nameless }, fingerprintSecret({ ...secret, metadata: nameless }))).toBe(false);
  });

  it('take 32 bytes as they are, a passphrase by its salt, and nothing short', () => {
    expect(snapshotKey(KEY, 'AA==')).toEqual(Buffer.alloc(32, 7));
    expect(snapshotKey('a passphrase of some length', 'AA==')).not.toEqual(snapshotKey('a passphrase of some length', 'BB=='));
    expect(() => snapshotKey('hunter2', 'AA==')).toThrow(UsageError);
    expect(() => snapshotKey('hunter2', 'AA==')).not.toThrow(/hunter2/);
  });

  it('do not open with another key', async () => {
    const kube = shop();
    const { snapshot } = await takeSnapshot(kube, optionsFor(kube, { key: KEY }), clock);
    expect(() => openSnapshot(snapshot, Buffer.alloc(32, 8).toString('base64'))).toThrow(
      expect.objectContaining({ reason: 'SNAPSHOT_KEY_WRONG' }),
    );
  });
});

describe('referencedConfig', () => {
  it('finds them in volumes, projections and environments of all containers, each once', () => {
    const found = referencedConfig({
      volumes: [
        { configMap: { name: 'a' } },
        { secret: { secretName: 's1' } },
        { projected: { sources: [{ configMap: { name: 'b' } }, { secret: { name: 's2' } }, {}] } },
        {},
      ],
      initContainers: [{ envFrom: [{ secretRef: { name: 's3' } }] }],
      containers: [
        { envFrom: [{ configMapRef: { name: 'c' } }, { configMapRef: { name: 'a' } }] },
        { env: [{ valueFrom: { configMapKeyRef: { name: 'd' } } }, { valueFrom: { secretKeyRef: { name: 's4' } } }, {}] },
        {},
      ],
    });
    expect(found.map(({ resource, name }) => `${resource.plural}/${name}`)).toEqual([
      ...['a', 'b', 'c', 'd'].map((name) => `configmaps/${name}`),
      ...['s1', 's2', 's3', 's4'].map((name) => `secrets/${name}`),
    ]);
    expect(referencedConfig({})).toEqual([]);
  });
});

describe('stripObject', () => {
  it('keeps what its author wrote', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', team: 'a' };
    const full = object('Service', 's', { spec: { a: 1 }, status: {} }, { uid: 'u', labels: { app: 's' }, annotations, managedFields: [] });
    expect(stripObject(full)).toEqual(object('Service', 's', { spec: { a: 1 } }, { labels: { app: 's' }, annotations: { team: 'a' } }));
  });
});

describe('inParallel', () => {
  it('keeps the order, begins nothing after a failure, and waits for what was begun', async () => {
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    expect(await inParallel(2, [30, 10, 20], async (ms) => pause(ms).then(() => ms))).toEqual([30, 10, 20]);
    const ended: number[] = [];
    const failing = inParallel(2, [0, 1, 2, 3], async (item) => {
      await pause(item === 1 ? 20 : 5);
      if (item === 0) throw new Error('first');
      ended.push(item);
    });
    await expect(failing).rejects.toThrow('first');
    expect(ended).toEqual([1]);
  });
});

/** Lets requests through in rounds: all that wait at one moment are answered together, as a latency would have it. */
function countRounds(kube: MemoryKube) {
  let rounds = 0;
  let most = 0;
  let waiting: (() => void)[] = [];
  kube.before = () =>
    new Promise((resolve) => {
      if (waiting.length === 0) {
        setImmediate(() => {
          rounds++;
          most = Math.max(most, waiting.length);
          const answered = waiting;
          waiting = [];
          for (const answer of answered) answer();
        });
      }
      waiting.push(() => resolve(undefined));
    });
  return { rounds: () => rounds, most: () => most };
}
