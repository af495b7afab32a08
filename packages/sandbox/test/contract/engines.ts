import type { Case } from './case.js';
import {
  analysisRuns,
  analysisTemplates,
  applyType,
  argo,
  canaries,
  container,
  destinationRule,
  destinationRules,
  flagger,
  json,
  labels,
  merge,
  podTemplate,
  rollouts,
  strategic,
  virtualService,
  virtualServices,
} from './objects.js';

const steps = [{ setWeight: 10 }, { pause: {} }, { pause: { duration: '10s' } }, { setWeight: 50 }];
const rollout = (name: string, spec: object) => argo('Rollout', name, spec);
const canary = { canary: { stableService: 'shop', canaryService: 'shop-canary', steps } };
const whole = { replicas: 3, selector: { matchLabels: labels }, template: podTemplate(), strategy: canary };
const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };
const provider = { prometheus: { address: 'http://127.0.0.1:9090', query: 'up' } };
const broken = (name: string, spec: object): Case => ({
  name: `Rollout: ${name}`,
  needs: 'argoproj.io',
  method: 'POST',
  path: rollouts,
  body: rollout('bad', spec),
});
const applied = (image: string) => rollout('shop', { template: { spec: { containers: [{ name: 'web', image }] } } });

const argoRollouts: readonly Case[] = [
  {
    name: 'Rollout: stored as sent',
    needs: 'argoproj.io',
    method: 'POST',
    path: rollouts,
    body: rollout('shop', whole),
    show: ['spec', 'metadata.generation', 'metadata.managedFields'],
  },
  broken('replicas and weight as text', { replicas: '3', strategy: { canary: { steps: [{ setWeight: 'x' }] } } }),
  broken('blue-green without a Service, a pod without containers', { strategy: { blueGreen: {} }, template: { spec: {} } }),
  broken('a step whose pause is a list', { strategy: { canary: { steps: [{ pause: [] }] } } }),
  {
    name: 'Rollout: status is written apart',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${rollouts}/shop/status`,
    type: merge,
    body: { spec: { paused: true }, status: { abort: true, HPAReplicas: 2, selector: 'app=shop' } },
    show: ['spec.paused', 'status.abort', 'status.HPAReplicas', 'metadata.generation'],
  },
  {
    name: 'Rollout: and not with the spec',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${rollouts}/shop`,
    type: merge,
    body: { spec: { paused: true }, status: { abort: false } },
    show: ['spec.paused', 'status.abort', 'metadata.generation'],
  },
  {
    name: 'Rollout: abort of a wrong type',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${rollouts}/shop/status`,
    type: merge,
    body: { status: { abort: 'yes' } },
  },
  { name: 'Rollout: scale', needs: 'argoproj.io', method: 'GET', path: `${rollouts}/shop/scale`, show: ['spec', 'status', 'kind'] },
  {
    name: 'Rollout: scaled',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${rollouts}/shop/scale`,
    type: merge,
    body: { spec: { replicas: 5 } },
    show: ['spec', 'status'],
  },
  {
    name: 'Rollout: immutable selector',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${rollouts}/shop`,
    type: merge,
    body: { spec: { selector: { matchLabels: { app: 'other' } } } },
  },
  { name: 'Rollout: strategic merge', needs: 'argoproj.io', method: 'PATCH', path: `${rollouts}/shop`, type: strategic, body: {} },
  {
    name: 'Rollout: JSON patch of the image',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${rollouts}/shop`,
    type: json,
    body: [
      { op: 'test', path: '/spec/template/spec/containers/0/image', value: container.image },
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'registry.example/shop:v2' },
    ],
    show: ['spec.template', 'metadata.generation'],
  },
  {
    name: 'Rollout: apply conflicts on the image',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${rollouts}/shop?fieldManager=one`,
    type: applyType,
    body: applied('registry.example/shop:v3'),
  },
  {
    name: 'Rollout: forced apply merges the container by its name',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${rollouts}/shop?fieldManager=one&force=true`,
    type: applyType,
    body: applied('registry.example/shop:v3'),
    show: ['spec.template', 'metadata.managedFields'],
  },
  {
    name: 'Rollout: steps are atomic',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${rollouts}/shop?fieldManager=two&force=true`,
    type: applyType,
    body: rollout('shop', { strategy: { canary: { steps: [{ setWeight: 20 }] } } }),
    show: ['spec.strategy'],
  },
  {
    name: 'AnalysisTemplate',
    needs: 'argoproj.io',
    method: 'POST',
    path: analysisTemplates,
    body: argo('AnalysisTemplate', 'errors', { metrics: [{ name: 'errors', provider, failureLimit: 3 }] }),
    show: ['spec', 'metadata.generation'],
  },
  {
    name: 'AnalysisRun without metrics',
    needs: 'argoproj.io',
    method: 'POST',
    path: analysisRuns,
    body: argo('AnalysisRun', 'bad', {}),
  },
  {
    name: 'AnalysisRun without a provider',
    needs: 'argoproj.io',
    method: 'POST',
    path: analysisRuns,
    body: argo('AnalysisRun', 'bad', { metrics: [{ name: 'errors' }] }),
  },
  {
    name: 'AnalysisRun',
    needs: 'argoproj.io',
    method: 'POST',
    path: analysisRuns,
    body: { ...argo('AnalysisRun', 'run', { metrics: [{ name: 'errors', provider }] }), status: { phase: 'Running' } },
    show: ['spec', 'status.phase', 'metadata.generation'],
  },
  {
    name: 'AnalysisRun: its status is no subresource',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${analysisRuns}/run`,
    type: merge,
    body: { status: { phase: 'Failed' } },
    show: ['status.phase', 'metadata.generation'],
  },
  {
    name: 'AnalysisRun: no status below it',
    needs: 'argoproj.io',
    method: 'PATCH',
    path: `${analysisRuns}/run/status`,
    type: merge,
    body: { status: { phase: 'Failed' } },
  },
];

const flaggerCanary: readonly Case[] = [
  {
    name: 'Canary',
    needs: 'flagger.app',
    method: 'POST',
    path: canaries,
    body: flagger('shop', {
      targetRef: target,
      service: { port: 80 },
      analysis: {
        interval: '10s',
        threshold: 5,
        maxWeight: 50,
        stepWeight: 10,
        metrics: [{ name: 'request-success-rate', interval: '1m' }],
      },
    }),
    show: ['spec', 'metadata.generation'],
  },
  { name: 'Canary of nothing', needs: 'flagger.app', method: 'POST', path: canaries, body: flagger('bad', {}) },
  {
    name: 'Canary of a StatefulSet, every second in words',
    needs: 'flagger.app',
    method: 'POST',
    path: canaries,
    body: flagger('bad', {
      targetRef: { ...target, kind: 'StatefulSet' },
      analysis: { interval: 'often', threshold: 5, iterations: 10 },
    }),
  },
  {
    name: 'Canary: status is written apart',
    needs: 'flagger.app',
    method: 'PATCH',
    path: `${canaries}/shop/status`,
    type: merge,
    body: { status: { phase: 'Progressing', canaryWeight: 10 } },
    show: ['status.phase', 'status.canaryWeight', 'metadata.generation'],
  },
  {
    name: 'Canary: an unknown phase',
    needs: 'flagger.app',
    method: 'PATCH',
    path: `${canaries}/shop/status`,
    type: merge,
    body: { status: { phase: 'Dreaming' } },
  },
];

const istio: readonly Case[] = [
  {
    name: 'VirtualService: no destination, no host, no mirror host',
    needs: 'networking.istio.io',
    method: 'POST',
    path: virtualServices,
    body: virtualService('bad', [{ route: [{ weight: 1 }, { destination: { subset: 'a' } }], mirror: {} }]),
  },
  {
    name: 'VirtualService: apply conflicts with who patched the weight',
    needs: 'networking.istio.io',
    method: 'PATCH',
    path: `${virtualServices}/shop?fieldManager=one`,
    type: applyType,
    body: virtualService('shop', [{ name: 'primary', route: [{ destination: { host: 'shop' } }] }]),
  },
  {
    name: 'DestinationRule',
    needs: 'networking.istio.io',
    method: 'POST',
    path: destinationRules,
    body: destinationRule('shop', { host: 'shop', subsets: [{ name: 'stable', labels }] }),
    show: ['spec', 'metadata.generation'],
  },
  {
    name: 'DestinationRule: no host, a subset without a name',
    needs: 'networking.istio.io',
    method: 'POST',
    path: destinationRules,
    body: destinationRule('bad', { subsets: [{ labels }] }),
  },
];

/** The objects of Argo Rollouts, Flagger and Istio, as their CustomResourceDefinitions see them. */
export const engines: readonly Case[] = [...argoRollouts, ...flaggerCanary, ...istio];
