import type { Case } from './case.js';
import { autoscalers, budgets, configMaps, cronJobs, ingresses, jobs, merge, namespace, pods, quotas } from './objects.js';

const apart = `${namespace}-quota`;
const inApart = (path: string) => path.replace(namespace, apart);
const pod = (name: string, cpu?: string) => ({
  metadata: { name },
  spec: { containers: [{ name: 'a', image: 'registry.example/a:1', ...(cpu ? { resources: { requests: { cpu } } } : {}) }] },
});
const path = (given: object) => ({ pathType: 'Prefix', path: '/', backend: { service: { name: 'shop', port: { number: 80 } } }, ...given });
const ingress = (name: string, paths: object[], host = 'shop.example') => ({
  metadata: { name },
  spec: { rules: [{ host, http: { paths } }] },
});
const job = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'registry.example/a:1' }] } } };
const scaleTarget = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };

const quotaCases: readonly Case[] = [
  { name: 'quota: its namespace', method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: apart } } },
  {
    name: 'quota: not a quantity',
    method: 'POST',
    path: inApart(quotas),
    body: { metadata: { name: 'bad' }, spec: { hard: { pods: 'x' } } },
  },
  { name: 'quota: negative', method: 'POST', path: inApart(quotas), body: { metadata: { name: 'bad' }, spec: { hard: { pods: '-1' } } } },
  {
    name: 'quota',
    method: 'POST',
    path: inApart(quotas),
    body: { metadata: { name: 'cap' }, spec: { hard: { pods: '2', 'requests.cpu': '1' } } },
    show: ['spec'],
  },
  {
    name: 'quota: nothing used yet',
    method: 'GET',
    path: `${inApart(quotas)}/cap`,
    until: ({ status }) => status?.used !== undefined,
    show: ['status'],
  },
  { name: 'quota: a pod that does not say what it needs', method: 'POST', path: inApart(pods), body: pod('none') },
  { name: 'quota: first pod', method: 'POST', path: inApart(pods), body: pod('one', '300m'), show: ['spec.containers.*.resources'] },
  { name: 'quota: second pod', method: 'POST', path: inApart(pods), body: pod('two', '0.3') },
  { name: 'quota: exceeded', method: 'POST', path: inApart(pods), body: pod('three', '500m') },
  { name: 'quota: exceeded in a dry run', method: 'POST', path: `${inApart(pods)}?dryRun=All`, body: pod('three', '500m') },
  {
    name: 'quota: used up',
    method: 'GET',
    path: `${inApart(quotas)}/cap`,
    until: ({ status }) => status.used.pods === '2',
    show: ['status'],
  },
];

const disruptionCases: readonly Case[] = [
  {
    name: 'PodDisruptionBudget',
    method: 'POST',
    path: budgets,
    body: { metadata: { name: 'shop' }, spec: { minAvailable: '50%', selector: { matchLabels: { app: 'shop' } } } },
    show: ['spec', 'metadata.generation', 'status'],
  },
  {
    name: 'PodDisruptionBudget: both bounds',
    method: 'POST',
    path: budgets,
    body: { metadata: { name: 'bad' }, spec: { minAvailable: 1, maxUnavailable: 1, selector: { matchLabels: { app: 'shop' } } } },
  },
  {
    name: 'PodDisruptionBudget: not a share',
    method: 'POST',
    path: budgets,
    body: { metadata: { name: 'bad' }, spec: { minAvailable: 'half', selector: { matchLabels: { app: 'shop' } } } },
  },
  {
    name: 'HorizontalPodAutoscaler: defaults',
    method: 'POST',
    path: autoscalers,
    body: { metadata: { name: 'nobody' }, spec: { maxReplicas: 5, scaleTargetRef: { ...scaleTarget, name: 'nobody' } } },
    show: ['spec'],
  },
  {
    name: 'HorizontalPodAutoscaler: more at least than at most',
    method: 'POST',
    path: autoscalers,
    body: { metadata: { name: 'bad' }, spec: { minReplicas: 5, maxReplicas: 2, scaleTargetRef: scaleTarget } },
  },
  {
    name: 'HorizontalPodAutoscaler: of nothing',
    method: 'POST',
    path: autoscalers,
    body: { metadata: { name: 'bad' }, spec: { maxReplicas: 0, scaleTargetRef: { kind: 'Deployment' } } },
  },
];

const ingressCases: readonly Case[] = [
  {
    name: 'Ingress',
    method: 'POST',
    path: ingresses,
    body: ingress('shop', [path({})]),
    show: ['spec', 'metadata.generation', 'status'],
  },
  {
    name: 'Ingress: canary annotations keep the generation',
    method: 'PATCH',
    path: `${ingresses}/shop`,
    type: merge,
    body: { metadata: { annotations: { 'nginx.ingress.kubernetes.io/canary-weight': '10' } } },
    show: ['metadata.generation', 'metadata.annotations', 'metadata.managedFields'],
  },
  {
    name: 'Ingress: an annotation that is a number',
    method: 'PATCH',
    path: `${ingresses}/shop`,
    type: merge,
    body: { metadata: { annotations: { a: 1 } } },
  },
  { name: 'Ingress: empty', method: 'POST', path: ingresses, body: { metadata: { name: 'bad' }, spec: {} } },
  {
    name: 'Ingress: no path type, a bad host',
    method: 'POST',
    path: ingresses,
    body: ingress('bad', [{ path: '/', backend: { service: { name: 's', port: { number: 80 } } } }], 'A_b'),
  },
  {
    name: 'Ingress: relative path, unknown type, no backend, two ports',
    method: 'POST',
    path: ingresses,
    body: ingress('bad', [
      path({ path: 'x' }),
      path({ pathType: 'Nope' }),
      path({ backend: {} }),
      path({ backend: { service: { name: 's', port: { number: 80, name: 'http' } } } }),
    ]),
  },
];

const jobCases: readonly Case[] = [
  {
    name: 'Job: defaults',
    method: 'POST',
    path: jobs,
    body: { metadata: { name: 'once' }, spec: { suspend: true, ...job } },
    show: ['spec.parallelism', 'spec.completions', 'spec.backoffLimit', 'spec.suspend', 'spec.completionMode', 'metadata.generation'],
  },
  {
    name: 'Job: restarted for ever',
    method: 'POST',
    path: jobs,
    body: { metadata: { name: 'bad' }, spec: { template: { spec: { containers: job.template.spec.containers } } } },
  },
  {
    name: 'CronJob: defaults',
    method: 'POST',
    path: cronJobs,
    body: { metadata: { name: 'often' }, spec: { schedule: '*/5 * * * *', suspend: true, jobTemplate: { spec: job } } },
    show: ['spec.concurrencyPolicy', 'spec.successfulJobsHistoryLimit', 'spec.failedJobsHistoryLimit', 'metadata.generation'],
  },
  {
    name: 'CronJob: no schedule to be read',
    method: 'POST',
    path: cronJobs,
    body: { metadata: { name: 'bad' }, spec: { schedule: 'often', jobTemplate: { spec: job } } },
  },
];

const dryRunCases: readonly Case[] = [
  {
    name: 'dry run: create',
    method: 'POST',
    path: `${configMaps}?dryRun=All`,
    body: { metadata: { name: 'dry' }, data: { a: '1' } },
    show: ['data', 'metadata.name', 'metadata.namespace', 'metadata.resourceVersion'],
  },
  { name: 'dry run: created nothing', method: 'GET', path: `${configMaps}/dry` },
  { name: 'dry run: create what is there', method: 'POST', path: `${configMaps}?dryRun=All`, body: { metadata: { name: 'state' } } },
  { name: 'dry run: delete', method: 'DELETE', path: `${configMaps}/state?dryRun=All`, show: ['kind', 'status', 'details.name'] },
  {
    name: 'dry run: delete by its options',
    method: 'DELETE',
    path: `${configMaps}/state`,
    body: { dryRun: ['All'] },
    show: ['kind', 'status'],
  },
  { name: 'dry run: delete what is not there', method: 'DELETE', path: `${configMaps}/dry?dryRun=All` },
  {
    name: 'dry run: replace',
    method: 'PUT',
    path: `${configMaps}/state?dryRun=All`,
    body: { metadata: { name: 'state' }, data: { z: '26' } },
    show: ['data'],
  },
  { name: 'dry run: all as before', method: 'GET', path: `${configMaps}/state`, show: ['data', 'metadata.name'] },
  { name: 'dry run: maybe', method: 'POST', path: `${configMaps}?dryRun=maybe`, body: { metadata: { name: 'dry' } } },
];

/** What bounds a release: quota, disruption budget, autoscaler; Ingress and jobs; and writes that are only tried. */
export const policies: readonly Case[] = [...quotaCases, ...disruptionCases, ...ingressCases, ...jobCases, ...dryRunCases];

export const quotaNamespace = apart;
