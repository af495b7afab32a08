import type { Contract } from '@slipway/core';
import type { Family } from './family.js';

/** Loads one family of actions; the others stay on disk. */
export const families: Readonly<Record<Contract['family'], () => Promise<Family>>> = {
  gates: () => import('./gates.js'),
  cluster: () => import('./cluster.js'),
};

export type LoadFamily = (name: Contract['family']) => Promise<Family>;

export const loadFamily: LoadFamily = (name) => families[name]();
