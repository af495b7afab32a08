import type { Case } from './case.js';
import { deployment, deployments, events, merge, pods, podTemplate, replicaSets, strategic } from './objects.js';

const web = { app: 'web' };
const conditions = ['type', 'status', 'reason', 'message'].map((field) => `status.conditions.*.${field}`);
const counts = [
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'observedGeneration',
];
const rolloutView = ['metadata.annotations', ...counts.map((count) => `status.${count}`), ...conditions];
// biome-ignore lint/suspicious/noExplicitAny: a Deployment as answered
const isSeen = ({ metadata, status }: any) => status?.observedGeneration >= metadata.generation;
// biome-ignore lint/suspicious/noExplicitAny: as above
const isRolledOut = (answer: any) => {
  const { replicas } = answer.spec;
  const { updatedReplicas, availableReplicas, replicas: all } = answer.status ?? {};
  return (
    isSeen(answer) &&
    updatedReplicas === replicas &&
    availableReplicas === replicas &&
    all === replicas &&
    !answer.status.terminatingReplicas
  );
};
type Sizes = { spec: { replicas: number }; status: { replicas: number; terminatingReplicas: number } };
const isQuiet = ({ items }: { items: Sizes[] }) =>
  items.every(({ spec, status }) => status.replicas === spec.replicas && status.terminatingReplicas === 0);
/** A Deployment rolled out by the controllers, with living pods. */
export const rollout: readonly Case[] = [
  {
    needs: 'living pods',
    name: 'rollout: first',
    method: 'POST',
    path: deployments,
    body: deployment('web', {
      replicas: 3,
      selector: { matchLabels: web },
      template: podTemplate(web),
    }),
    show: ['metadata.generation'],
  },
  { needs: 'living pods', name: 'rollout: first done', method: 'GET', path: `${deployments}/web`, until: isRolledOut, show: rolloutView },
  {
    needs: 'living pods',
    name: 'rollout: second',
    method: 'PATCH',
    path: `${deployments}/web`,
    type: strategic,
    body: { spec: { template: { spec: { containers: [{ name: 'web', image: 'registry.example/shop:v2' }] } } } },
    show: ['metadata.generation'],
  },
  { needs: 'living pods', name: 'rollout: second done', method: 'GET', path: `${deployments}/web`, until: isRolledOut, show: rolloutView },
  {
    needs: 'living pods',
    name: 'rollout: ReplicaSets',
    method: 'GET',
    path: `${replicaSets}?labelSelector=app%3Dweb`,
    until: isQuiet,
    show: ['items.*.metadata.annotations', 'items.*.spec.replicas', 'items.*.status'],
  },
  {
    needs: 'living pods',
    name: 'rollout: pods',
    method: 'GET',
    path: `${pods}?labelSelector=app%3Dweb`,
    show: ['items.*.metadata.generateName', 'items.*.status.phase', 'items.*.spec.containers.*.image'],
  },
  {
    needs: 'living pods',
    name: 'rollout: scaled',
    method: 'PATCH',
    path: `${deployments}/web/scale`,
    type: merge,
    body: { spec: { replicas: 1 } },
    show: ['spec', 'status.selector'],
  },
  { needs: 'living pods', name: 'rollout: scaled done', method: 'GET', path: `${deployments}/web`, until: isRolledOut, show: rolloutView },
  {
    needs: 'living pods',
    name: 'rollout: paused',
    method: 'PATCH',
    path: `${deployments}/web`,
    type: merge,
    body: { spec: { paused: true } },
    show: ['metadata.generation'],
  },
  { needs: 'living pods', name: 'rollout: paused, seen', method: 'GET', path: `${deployments}/web`, until: isSeen, show: rolloutView },
  {
    needs: 'living pods',
    name: 'rollout: events',
    method: 'GET',
    path: `${events}?fieldSelector=reason%3DScalingReplicaSet`,
    show: ['items.*.message', 'items.*.type', 'items.*.source'],
  },
];
