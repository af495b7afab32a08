import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../src/kube.js';
import { annotations } from '../src/names.js';
import { adopt, adoptionPatch } from '../src/workloads/adopt.js';
import { canaryOf, ensureCanary, removeCanary } from '../src/workloads/canary.js';
import { selectorOf } from '../src/workloads/children.js';
import { setImage } from '../src/workloads/image.js';
import { findHpa, setReplicas } from '../src/workloads/replicas.js';
import { refuseExcludedCanary } from '../src/workloads/service.js';
import { previousRevision, undo } from '../src/workloads/undo.js';
import { readWorkload, refuseUnready, workloadOf } from '../src/workloads/workload.js';
import { memoryKube } from './memory-kube.js';
import { deployment } from './objects.js';

const canarySpec = {
  name: 'shop-canary',
  container: 'web',
  image: 'registry.example/shop:v2',
  replicas: 1,
  version: '2.0.0',
  rollout: 'shop-20260301T120000Z-1a2b',
};

describe('readWorkload', () => {
  it('finds the only container, its image, replicas and revision', async () => {
    expect(await readWorkload(memoryKube(deployment()), 'shop', 'shop')).toMatchObject({
      container: 'web',
      image: 'registry.example/shop:v1',
      replicas: 3,
      revision: '1',
    });
  });

  it('names what there is when the Deployment is missing', async () => {
    await expect(readWorkload(memoryKube(deployment('web'), deployment('api')), 'shop', 'shop')).rejects.toMatchObject({
      reason: 'WORKLOAD_NOT_FOUND',
      message: expect.stringContaining('there are web, api'),
    });
  });

  it('asks which of several containers, and refuses one that is not there', async () => {
    const two = deployment();
    two.spec.template.spec.containers.push({ name: 'proxy', image: 'envoy:1' });
    expect(() => workloadOf(two)).toThrow('2 containers (web, proxy)');
    expect(workloadOf(two, 'proxy').image).toBe('envoy:1');
    expect(() => workloadOf(two, 'wbe')).toThrow('no container "wbe"; it has web, proxy');
  });

  it('refuses a paused Deployment and one without replicas', () => {
    const paused = deployment();
    paused.spec.paused = true;
    expect(() => refuseUnready(workloadOf(paused))).toThrow('is paused');
    expect(() => refuseUnready(workloadOf(deployment('shop', { replicas: 0 })))).toThrow('0 replicas');
    expect(() => refuseUnready(workloadOf(deployment()))).not.toThrow();
  });
});

describe('canaryOf', () => {
  const stable = deployment('shop', { labels: { app: 'shop', track: 'stable' } });
  stable.metadata = {
    ...stable.metadata,
    resourceVersion: '9',
    ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'x' }],
    managedFields: [{}],
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'deployment.kubernetes.io/revision': '4', team: 'shop' },
  };
  stable.spec.template.metadata.labels.version = '1.0.0';

  it('is the same pods with another image, a track of their own, and nothing that is stable’s alone', () => {
    const canary = canaryOf(stable, canarySpec);
    expect(canary).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'shop-canary',
        namespace: 'shop',
        labels: { track: 'canary' },
        annotations: {
          team: 'shop',
          [annotations.canaryOf]: 'shop',
          [annotations.rollout]: canarySpec.rollout,
          [annotations.version]: '2.0.0',
        },
      },
      spec: {
        paused: false,
        replicas: 1,
        selector: { matchLabels: { app: 'shop', track: 'canary' } },
        template: {
          metadata: { labels: { app: 'shop', track: 'canary', version: '2.0.0' } },
          spec: { containers: [{ name: 'web', image: 'registry.example/shop:v2', ports: [{ name: 'http', containerPort: 8080 }] }] },
        },
      },
    });
  });

  it('is nothing that a GitOps controller or Helm would take for its own and prune; the pods keep their labels', () => {
    const labels = { 'app.kubernetes.io/name': 'shop', 'app.kubernetes.io/instance': 'shop' };
    const tracked = deployment('shop', { labels });
    tracked.metadata.labels = {
      ...labels,
      'app.kubernetes.io/managed-by': 'Helm',
      'argocd.argoproj.io/instance': 'shop',
      'kustomize.toolkit.fluxcd.io/name': 'apps',
      'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
      'applyset.kubernetes.io/part-of': 'applyset-x-v1',
    };
    tracked.metadata.annotations = {
      'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/shop',
      'meta.helm.sh/release-name': 'shop',
      'meta.helm.sh/release-namespace': 'shop',
      'argocd.example/notes': 'kept',
    };
    const { metadata, spec } = canaryOf(tracked, canarySpec);
    expect(metadata.labels).toEqual({ 'app.kubernetes.io/name': 'shop', track: 'canary' });
    expect(Object.keys(metadata.annotations ?? {}).filter((key) => !key.startsWith('slipway.dev/'))).toEqual(['argocd.example/notes']);
    expect(spec.selector.matchLabels).toEqual({ ...labels, track: 'canary' });
    expect(spec.template.metadata.labels).toMatchObject({ ...labels, track: 'canary' });
    tracked.metadata.labels = { 'app.kubernetes.io/managed-by': 'the platform team' };
    expect(canaryOf(tracked, canarySpec).metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'the platform team', track: 'canary' });
  });

  it('does not change the stable object', () => {
    const before = structuredClone(stable);
    canaryOf(stable, canarySpec);
    expect(stable).toEqual(before);
  });

  it('leaves a version label that a selector needs, and one that the version would not fit', () => {
    const selected = deployment('shop', { labels: { app: 'shop', version: '1' } });
    expect(canaryOf(selected, canarySpec).spec.template.metadata.labels.version).toBe('1');
    expect(canaryOf(stable, { ...canarySpec, version: '2.0.0+build' }).spec.template.metadata.labels.version).toBe('1.0.0');
  });
});

describe('ensureCanary and removeCanary', () => {
  const canary = canaryOf(deployment(), canarySpec);

  it('creates, and updates what an earlier rollout of the same workload left', async () => {
    const kube = memoryKube();
    await ensureCanary(kube, canary);
    const next = canaryOf(deployment(), { ...canarySpec, image: 'registry.example/shop:v3', rollout: 'shop-2' });
    const updated = await ensureCanary(kube, next);
    expect(updated.spec.template.spec.containers[0].image).toBe('registry.example/shop:v3');
    expect(updated.metadata.annotations?.[annotations.rollout]).toBe('shop-2');
  });

  it('goes on when its creation was done although no answer came', async () => {
    const kube = memoryKube();
    kube.before = (call) => {
      if (call.verb === 'create' && kube.calls.length < 3) kube.put(call.body as object);
      return undefined;
    };
    expect((await ensureCanary(kube, canary)).metadata.name).toBe('shop-canary');
  });

  it('reads again when the controller has written its status meanwhile', async () => {
    const kube = memoryKube();
    await ensureCanary(kube, canary);
    kube.before = ({ verb }) => {
      if (verb === 'replace' && kube.writes().length < 3) {
        const stored = kube.at('deployments', 'shop', 'shop-canary');
        kube.put({ ...stored, status: { observedGeneration: kube.calls.length } });
      }
      return undefined;
    };
    const updated = await ensureCanary(kube, canaryOf(deployment(), { ...canarySpec, replicas: 4 }));
    expect(updated.spec.replicas).toBe(4);
    expect(kube.writes().map(({ verb }) => verb)).toEqual(['create', 'replace', 'replace']);
  });

  it('leaves a Deployment alone that is not ours', async () => {
    const kube = memoryKube(deployment('shop-canary'));
    await expect(ensureCanary(kube, canary)).rejects.toMatchObject({ reason: 'CANARY_NAME_TAKEN' });
    await expect(removeCanary(kube, 'shop', 'shop-canary', { canaryOf: 'shop' })).rejects.toMatchObject({ reason: 'CANARY_NAME_TAKEN' });
    expect(kube.writes()).toEqual([]);
  });

  it('deletes ours once and does not mind that it is gone', async () => {
    const kube = memoryKube();
    await ensureCanary(kube, canary);
    await removeCanary(kube, 'shop', 'shop-canary', { canaryOf: 'shop' });
    await removeCanary(kube, 'shop', 'shop-canary', { canaryOf: 'shop' });
    expect(kube.writes().filter(({ verb }) => verb === 'remove')).toHaveLength(1);
  });
});

describe('adopt', () => {
  it('adds the label once, next to the others', async () => {
    const kube = memoryKube(deployment());
    await adopt(kube, kube.at('deployments', 'shop', 'shop'));
    const adopted = kube.at('deployments', 'shop', 'shop');
    expect(adopted.spec.template.metadata.labels).toEqual({ app: 'shop', track: 'stable' });
    expect(adopted.spec.selector.matchLabels).toEqual({ app: 'shop' });
    expect(await adopt(kube, adopted)).toBeUndefined();
  });

  it('refuses a track label that means something else', () => {
    const taken = deployment('shop', { labels: { app: 'shop', track: 'railway' } });
    expect(() => adoptionPatch(taken)).toThrow('track=railway');
  });
});

describe('setImage', () => {
  it('writes once, with tests, and nothing when it is there', async () => {
    const kube = memoryKube(deployment());
    const workload = await readWorkload(kube, 'shop', 'shop');
    const changed = await setImage(kube, workload, 'registry.example/shop:v2');
    expect(changed.metadata.generation).toBe(2);
    await setImage(kube, workloadOf(changed), 'registry.example/shop:v2');
    expect(kube.writes()).toHaveLength(1);
    expect((kube.writes().at(0)?.body as { op: string }[] | undefined)?.map(({ op }) => op)).toEqual(['test', 'test', 'replace']);
  });

  it('does not overwrite an image that somebody set meanwhile', async () => {
    const kube = memoryKube(deployment());
    const workload = await readWorkload(kube, 'shop', 'shop');
    await setImage(kube, workload, 'registry.example/shop:other');
    await expect(setImage(kube, workload, 'registry.example/shop:v2')).rejects.toMatchObject({ reason: 'CONFLICT' });
  });
});

describe('replicas', () => {
  const hpa = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'shop-hpa', namespace: 'shop' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' }, minReplicas: 2, maxReplicas: 9 },
  };

  it('are set, and not written when they are so', async () => {
    const kube = memoryKube(deployment());
    const changed = await setReplicas(kube, 'shop', 'shop', 5, { owner: 'unknown' });
    expect(changed.spec.replicas).toBe(5);
    await setReplicas(kube, 'shop', 'shop', 5, { owner: 'unknown', current: changed });
    expect(kube.writes()).toHaveLength(1);
  });

  it('are never written when an autoscaler owns them', async () => {
    const kube = memoryKube(deployment(), hpa);
    await expect(setReplicas(kube, 'shop', 'shop', 5, { owner: 'unknown' })).rejects.toMatchObject({
      reason: 'HPA_OWNS_REPLICAS',
      message: expect.stringContaining('shop/shop-hpa (2–9)'),
    });
    expect(kube.writes()).toEqual([]);
    expect(await findHpa(kube, 'shop', 'other')).toBeUndefined();
  });
});

describe('refuseExcludedCanary', () => {
  const service = (selector?: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop', namespace: 'shop' },
    spec: { ...(selector ? { selector } : {}) },
  });
  const check = (object?: KubeObject) =>
    refuseExcludedCanary(memoryKube(...(object ? [object] : [])), 'shop', 'shop', { app: 'shop', track: 'canary' });

  it('accepts a selector that both tracks meet', async () => {
    expect((await check(service({ app: 'shop' }))).metadata.name).toBe('shop');
  });

  it('names the labels that exclude the canary', async () => {
    await expect(check(service({ app: 'shop', track: 'stable' }))).rejects.toMatchObject({
      reason: 'SERVICE_EXCLUDES_CANARY',
      message: expect.stringContaining('selects track=stable'),
    });
  });

  it('refuses a Service without a selector, and none at all', async () => {
    await expect(check(service())).rejects.toMatchObject({ reason: 'SERVICE_EXCLUDES_CANARY' });
    await expect(check()).rejects.toMatchObject({ reason: 'SERVICE_NOT_FOUND' });
  });
});

describe('undo', () => {
  const replicaSet = (revision: number, image: string, owner = 'uid-shop') => {
    const { template, selector } = deployment('shop', { image }).spec;
    const labels = { ...template.metadata.labels, 'pod-template-hash': `h${revision}` };
    return {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `shop-h${revision}`,
        namespace: 'shop',
        uid: `rs-${revision}`,
        labels,
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid: owner, controller: true }],
        annotations: { 'deployment.kubernetes.io/revision': String(revision), cause: `release ${revision}` },
      },
      spec: { selector, template: { ...template, metadata: { labels } } },
    };
  };
  const current = deployment('shop', { image: 'shop:v3' });
  current.metadata.annotations = { 'deployment.kubernetes.io/revision': '10', cause: 'release 10' };
  const world = () => memoryKube(current, replicaSet(2, 'shop:v1'), replicaSet(9, 'shop:v2'), replicaSet(10, 'shop:v3'));

  it('goes back to the revision before the newest (9 before 10, by number), without the hash label', async () => {
    const kube = world();
    const { revision, changed } = await undo(kube, kube.at('deployments', 'shop', 'shop'));
    expect(revision).toMatchObject({ revision: '9', replicaSet: 'shop-h9', images: { web: 'shop:v2' } });
    expect(changed).toBe(true);
    const after = kube.at('deployments', 'shop', 'shop');
    expect(after.spec.template.spec.containers[0].image).toBe('shop:v2');
    expect(after.spec.template.metadata.labels).toEqual({ app: 'shop' });
    expect(after.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '10', cause: 'release 9' });
  });

  it('goes to a revision that is asked for, and says when nothing changes', async () => {
    const kube = world();
    const old = await undo(kube, kube.at('deployments', 'shop', 'shop'), { revision: '2' });
    expect(old.revision.images).toEqual({ web: 'shop:v1' });
    expect((await undo(kube, old.deployment, { revision: '2' })).changed).toBe(false);
  });

  it('says which revisions there are when the wanted one is not kept', async () => {
    const kube = world();
    await expect(undo(kube, kube.at('deployments', 'shop', 'shop'), { revision: '5' })).rejects.toMatchObject({
      reason: 'NO_PREVIOUS_REVISION',
      message: expect.stringContaining('10, 9, 2'),
    });
    expect(() => previousRevision(current, [])).toThrow('keep: none');
  });

  it('does not take ReplicaSets of other Deployments that the selector meets', async () => {
    const kube = memoryKube(current, replicaSet(10, 'shop:v3'), replicaSet(9, 'canary:v9', 'uid-canary'));
    await expect(undo(kube, kube.at('deployments', 'shop', 'shop'))).rejects.toMatchObject({ reason: 'NO_PREVIOUS_REVISION' });
  });

  it('is refused by a Deployment that changed meanwhile, and for a paused one', async () => {
    const kube = world();
    const read = structuredClone(kube.at('deployments', 'shop', 'shop'));
    await setImage(kube, workloadOf(read), 'shop:v4');
    await expect(undo(kube, read)).rejects.toMatchObject({ reason: 'CONFLICT' });
    await expect(undo(kube, { ...read, spec: { ...read.spec, paused: true } })).rejects.toMatchObject({ reason: 'WORKLOAD_PAUSED' });
  });
});

describe('selectorOf', () => {
  it('writes labels and expressions as the API takes them', () => {
    const each = deployment();
    each.spec.selector.matchExpressions = [
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'x', operator: 'NotIn', values: ['c'] },
      { key: 'y', operator: 'Exists' },
      { key: 'z', operator: 'DoesNotExist' },
    ];
    expect(selectorOf(each)).toBe('app=shop,tier in (a,b),x notin (c),y,!z');
  });
});
