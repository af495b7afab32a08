import { access } from './contract/access.js';
import { apply } from './contract/apply.js';
import { basics } from './contract/basics.js';
import type { Case } from './contract/case.js';
import { deletion } from './contract/deletion.js';
import { engines } from './contract/engines.js';
import { gatewayApi } from './contract/gateway-api.js';
import { namespace } from './contract/objects.js';
import { patches } from './contract/patches.js';
import { policies, quotaNamespace } from './contract/policies.js';
import { rollout } from './contract/rollout.js';
import { lists, watches } from './contract/watches.js';

/** Requests in order, each building on the ones before. What a real API server answers to them is in fixtures/kube-contract.json. */
export const cases: readonly Case[] = [
  ...basics,
  ...patches,
  ...apply,
  ...policies,
  ...gatewayApi,
  ...engines,
  ...access,
  ...lists,
  ...watches,
  ...deletion,
  ...rollout,
];

/** What the cases make; must not be there before. */
export const namespaces: readonly string[] = [namespace, quotaNamespace];
