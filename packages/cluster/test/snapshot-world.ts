import type { Clock } from '@slipway/core';
import type { KubeObject } from '../src/kube.js';
import { resources } from '../src/resources.js';
import type { SnapshotOptions } from '../src/snapshots/take-snapshot.js';
import { type MemoryKube, memoryKube } from './memory-kube.js';
import { deployment } from './objects.js';

export const AT = Date.parse('2026-11-22T19:05:01Z');
export const clock: Clock = { now: () => AT, sleep: async () => undefined };
/** 32 bytes. */
export const KEY = Buffer.alloc(32, 7).toString('base64');

export function object(kind: string, name: string, rest: object = {}, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name, namespace: 'shop', ...metadata }, ...rest } as KubeObject;
}

export const route = (stable: number) => ({
  hosts: ['shop'],
  http: [
    {
      route: [
        { destination: { host: 'shop', subset: 'stable' }, weight: stable },
        { destination: { host: 'shop', subset: 'canary' }, weight: 100 - stable },
      ],
    },
  ],
});

/** A shop with everything that a release may change. */
export function shop(): MemoryKube {
  const workload = deployment('shop');
  Object.assign(workload.spec.template.spec, {
    containers: [{ name: 'web', image: 'shop:v1', envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'token' } }] }],
    volumes: [{ name: 'pages', configMap: { name: 'pages' } }],
  });
  return memoryKube(
    workload,
    object('ConfigMap', 'settings', { data: { LEVEL: 'info' } }),
    object('ConfigMap', 'pages', { data: { 'index.html': '<h1>v1</h1>' } }),
    object('Secret', 'token', { type: 'Opaque', data: { TOKEN: Buffer.from('1234').toString('base64') } }),
    object('Service', 'shop', { spec: { selector: { app: 'shop' }, ports: [{ port: 80 }], clusterIP: '10.0.0.7' } }),
    object('HorizontalPodAutoscaler', 'shop', {
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'shop' }, minReplicas: 2, maxReplicas: 9 },
      status: { currentReplicas: 3 },
    }),
    object('VirtualService', 'shop', { spec: route(100) }),
    object('DestinationRule', 'shop', { spec: { host: 'shop', subsets: [{ name: 'stable' }, { name: 'canary' }] } }),
  );
}

export function optionsFor(kube: MemoryKube, more: Partial<SnapshotOptions> = {}): SnapshotOptions {
  return {
    id: 'shop-1',
    namespace: 'shop',
    workload: kube.at('deployments', 'shop', 'shop'),
    service: 'shop',
    traffic: [
      { resource: resources.virtualservices, name: 'shop' },
      { resource: resources.destinationrules, name: 'shop' },
    ],
    metadata: { who: 'ada', runUrl: 'https://github.example/runs/1', image: 'shop:v1', weight: 0 },
    ...more,
  };
}
