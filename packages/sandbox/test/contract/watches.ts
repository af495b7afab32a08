import type { Case } from './case.js';
import { configMap, configMaps, merge } from './objects.js';

const selected = 'labelSelector=watched%3Dyes';
const labelled = (name: string, value: string) => ({ ...configMap(name), metadata: { name, labels: { watched: value } } });
const since = `resourceVersion={metadata.resourceVersion of watch: from here}`;
const shown = ['events.+.type', 'events.+.object.metadata.name'];

/** Watches that replay what has happened, and lists in pieces. */
export const watches: readonly Case[] = [
  { name: 'watch: from here', method: 'GET', path: `${configMaps}?${selected}`, show: ['items'] },
  { name: 'watch: made', method: 'POST', path: configMaps, body: labelled('w1', 'yes') },
  { name: 'watch: made another', method: 'POST', path: configMaps, body: labelled('w2', 'no') },
  { name: 'watch: changed', method: 'PATCH', path: `${configMaps}/w1`, type: merge, body: { data: { b: '2' } } },
  {
    name: 'watch: begins to match',
    method: 'PATCH',
    path: `${configMaps}/w2`,
    type: merge,
    body: { metadata: { labels: { watched: 'yes' } } },
  },
  { name: 'watch: ceases to match', method: 'PATCH', path: `${configMaps}/w1`, type: merge, body: { metadata: { labels: null } } },
  { name: 'watch: deleted', method: 'DELETE', path: `${configMaps}/w2` },
  { name: 'watch: all of it', method: 'GET', path: `${configMaps}?watch=true&timeoutSeconds=1&${selected}&${since}`, show: shown },
  {
    name: 'watch: one by its name',
    method: 'GET',
    path: `${configMaps}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dw1&${since}`,
    show: shown,
  },
  {
    name: 'watch: what is there, then nothing',
    method: 'GET',
    path: `${configMaps}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dw1`,
    show: shown,
  },
  { name: 'list: continue of nobody', method: 'GET', path: `${configMaps}?limit=1&continue=abc` },
  { name: 'list: limit of letters', method: 'GET', path: `${configMaps}?limit=x` },
];

/** Comes before the watch that continues from it. */
export const lists: readonly Case[] = [
  {
    name: 'list: in pieces',
    method: 'GET',
    path: `${configMaps}?limit=1&fieldSelector=metadata.name!%3Dkube-root-ca.crt`,
    show: ['items.+.metadata.name', 'metadata.remainingItemCount'],
  },
  {
    name: 'list: the next piece',
    method: 'GET',
    path: `${configMaps}?limit=500&fieldSelector=metadata.name!%3Dkube-root-ca.crt&continue={metadata.continue of list: in pieces}`,
    show: ['items.+.metadata.name', 'metadata.remainingItemCount', 'metadata.continue'],
  },
  { name: 'list: of a version to come', method: 'GET', path: `${configMaps}?resourceVersion=x` },
];
