import type { Case } from './case.js';
import { applyType, configMap, configMaps, deployments } from './objects.js';

/** One apply of a ConfigMap's metadata and data, and who owns what then. */
const applied = (name: string, manager: string, fields: object): Case => ({
  name: `apply of a map: ${name}`,
  method: 'PATCH',
  path: `${configMaps}/emptied?fieldManager=${manager}`,
  type: applyType,
  body: { apiVersion: 'v1', kind: 'ConfigMap', ...fields },
  show: ['data', 'metadata.annotations', 'metadata.managedFields'],
});
const annotated = (annotations?: object, more: object = {}) => ({
  metadata: { name: 'emptied', ...(annotations ? { annotations } : {}) },
  ...more,
});

/** Server-side apply of built-in kinds. */
export const apply: readonly Case[] = [
  {
    name: 'apply creates',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one`,
    type: applyType,
    body: configMap('applied', { a: '1', b: '1' }),
    show: ['data'],
  },
  {
    name: 'apply by another',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=two`,
    type: applyType,
    body: configMap('applied', { c: '1' }),
    show: ['data'],
  },
  {
    name: 'apply: conflict',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one`,
    type: applyType,
    body: configMap('applied', { a: '1', c: '2' }),
  },
  {
    name: 'apply: removal',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one`,
    type: applyType,
    body: configMap('applied', { a: '1' }),
    show: ['data'],
  },
  {
    name: 'apply: forced',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one&force=true`,
    type: applyType,
    body: configMap('applied', { c: '2' }),
    show: ['data'],
  },
  { name: 'apply without a manager', method: 'PATCH', path: `${configMaps}/applied`, type: applyType, body: configMap('applied') },
  {
    name: 'apply to a container',
    method: 'PATCH',
    path: `${deployments}/shop?fieldManager=env`,
    type: applyType,
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop' },
      spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'A', value: '1' }] }] } } },
    },
    show: ['spec.template.spec.containers'],
  },
  {
    name: 'apply to a container: gone again',
    method: 'PATCH',
    path: `${deployments}/shop?fieldManager=env`,
    type: applyType,
    body: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop' } },
    show: ['spec.template.spec.containers'],
  },
  {
    name: 'apply: conflict on the image',
    method: 'PATCH',
    path: `${deployments}/shop?fieldManager=env`,
    type: applyType,
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop' },
      spec: { template: { spec: { containers: [{ name: 'web', image: 'other:1' }] } } },
    },
  },
  {
    name: 'apply: everything gone',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=two`,
    type: applyType,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' } },
    show: ['data'],
  },
  {
    name: 'apply: nothing left',
    method: 'PATCH',
    path: `${configMaps}/applied?fieldManager=one`,
    type: applyType,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' } },
    show: ['data'],
  },
  applied('empty', 'one', annotated({}, { data: {} })),
  applied('filled', 'one', annotated({ a: '3' }, { data: { k: '1' } })),
  applied('emptied', 'one', annotated({}, { data: {} })),
  applied("an entry of another, into one's empty map", 'two', annotated({ b: '1' })),
  applied('left out', 'one', annotated()),
  applied('filled by another', 'two', annotated({ b: '1' })),
  applied('empty where another has an entry', 'one', annotated({})),
  applied("left out, another's entry stays", 'one', annotated()),
  { name: 'PUT with another uid', method: 'PUT', path: `${configMaps}/applied`, body: { metadata: { name: 'applied', uid: 'another' } } },
];
