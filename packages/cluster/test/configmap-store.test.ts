import { describe, expect, it } from '@jest/globals';
import { configMapStore, type StoreOptions } from '../src/configmap-store.js';
import { memoryKube, refusal } from './memory-kube.js';

interface Doc {
  schema: number;
  step: number;
}

const options: StoreOptions<Doc> = { namespace: 'shop', name: 'slipway-shop', key: 'state.json', schema: 1, labels: { a: 'b' } };
const configMap = (data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'slipway-shop', namespace: 'shop' },
  data,
});

describe('configMapStore', () => {
  it('reads nothing, writes, reads, updates', async () => {
    const kube = memoryKube();
    const store = configMapStore(kube, options);
    expect(await store.read()).toBeUndefined();
    const first = await store.write({ schema: 1, step: 0 }, undefined);
    const second = await store.write({ schema: 1, step: 1 }, first);
    expect(await store.read()).toEqual(second);
    expect(kube.at('configmaps', 'shop', 'slipway-shop').metadata.labels).toEqual({ a: 'b' });
  });

  it('leaves other keys alone', async () => {
    const kube = memoryKube(configMap({ 'snapshot.json': '{}' }));
    const store = configMapStore(kube, options);
    await store.write({ schema: 1, step: 0 }, undefined);
    expect(kube.at('configmaps', 'shop', 'slipway-shop').data).toEqual({ 'snapshot.json': '{}', 'state.json': '{"schema":1,"step":0}' });
  });

  it('refuses to overwrite what somebody else wrote', async () => {
    const kube = memoryKube();
    const store = configMapStore(kube, options);
    const first = await store.write({ schema: 1, step: 0 }, undefined);
    await store.write({ schema: 1, step: 1 }, first);
    await expect(store.write({ schema: 1, step: 9 }, first)).rejects.toMatchObject({ reason: 'CONFLICT' });
    await expect(store.write({ schema: 1, step: 9 }, undefined)).rejects.toMatchObject({ reason: 'CONFLICT' });
    expect((await store.read())?.value.step).toBe(1);
  });

  it('knows its own write when the first answer was lost', async () => {
    const kube = memoryKube();
    const store = configMapStore(kube, options);
    const first = await store.write({ schema: 1, step: 0 }, undefined);
    let lost = false;
    kube.before = ({ verb }) => {
      if (verb !== 'patch' || lost) return undefined;
      lost = true;
      return () => {
        throw refusal('CONFLICT', 409, 'the object has been modified');
      };
    };
    const second = await store.write({ schema: 1, step: 1 }, first);
    expect(second.value.step).toBe(1);
    await store.write({ schema: 1, step: 2 }, second);
    expect((await store.read())?.value.step).toBe(2);
  });

  it.each([
    ['not JSON', '{"schema":1,', 'it is not JSON'],
    ['no schema', '{"step":1}', 'no number `schema`'],
    ['null', 'null', 'no number `schema`'],
    ['a bad shape', '{"schema":1}', 'step is missing'],
  ])('calls %s corrupt, and says how to get out', async (_, text, words) => {
    const kube = memoryKube(configMap({ 'state.json': text }));
    const parse = (value: unknown) => {
      if (typeof (value as Doc).step !== 'number') throw new Error('step is missing');
      return value as Doc;
    };
    await expect(configMapStore(kube, { ...options, parse }).read()).rejects.toMatchObject({
      reason: 'STATE_CORRUPT',
      message: expect.stringContaining(words),
      next: [
        expect.stringContaining('kubectl -n shop get configmap/slipway-shop'),
        expect.stringContaining('`abort`'),
        expect.stringContaining('delete configmap/slipway-shop'),
      ],
    });
    expect(kube.writes()).toEqual([]);
  });

  it('refuses a newer schema', async () => {
    const kube = memoryKube(configMap({ 'state.json': '{"schema":2,"step":"other"}' }));
    await expect(configMapStore(kube, options).read()).rejects.toMatchObject({ reason: 'STATE_NEWER', details: { schema: 2 } });
  });

  it('refuses what does not fit, before it is sent', async () => {
    const kube = memoryKube();
    const store = configMapStore<Doc & { blob: string }>(kube, { namespace: 'shop', name: 'slipway-shop', key: 'state.json', schema: 1 });
    await expect(store.write({ schema: 1, step: 0, blob: 'ü'.repeat(450_000) }, undefined)).rejects.toMatchObject({
      reason: 'STATE_TOO_LARGE',
    });
    expect(kube.calls).toEqual([]);
  });
});
