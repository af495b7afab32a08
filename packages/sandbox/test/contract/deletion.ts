import type { Case } from './case.js';
import { configMaps } from './objects.js';

/** Deleting, with and without preconditions. */
export const deletion: readonly Case[] = [
  { name: 'delete: wrong uid', method: 'DELETE', path: `${configMaps}/state`, body: { preconditions: { uid: 'another' } } },
  { name: 'delete', method: 'DELETE', path: `${configMaps}/state`, show: ['kind', 'status', 'details.name', 'details.kind'] },
  { name: 'delete again', method: 'DELETE', path: `${configMaps}/state` },
];
