import type { KubeObject } from './object.js';
import { schemas } from './schema/schemas.js';
import { shape } from './schema/shape.js';

// biome-ignore lint/suspicious/noExplicitAny: specs are decoded JSON of many kinds
type Any = any;

/** Fills in what the API server fills in for the kinds served (k8s.io/kubernetes, pkg/apis/…/defaults.go; the schemas of custom kinds). Changes the object given. */
export function applyDefaults(object: KubeObject, allocateIp: () => string): void {
  defaulters[object.kind]?.(object, allocateIp);
  const schema = schemas[object.kind];
  if (schema) shape(object, schema);
}

const defaulters: Record<string, (object: KubeObject, allocateIp: () => string) => void> = {
  Namespace: (object) => {
    object.spec ??= { finalizers: ['kubernetes'] };
    object.status ??= { phase: 'Active' };
    object.metadata.labels = { 'kubernetes.io/metadata.name': object.metadata.name, ...object.metadata.labels };
  },
  Deployment: (object) => {
    const { spec } = object;
    if (!spec) return;
    spec.replicas ??= 1;
    spec.strategy ??= {};
    spec.strategy.type ??= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate')
      spec.strategy.rollingUpdate = { maxSurge: '25%', maxUnavailable: '25%', ...spec.strategy.rollingUpdate };
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    object.status ??= {};
    defaultPodSpec(spec.template?.spec);
  },
  ReplicaSet: (object) => {
    const { spec } = object;
    object.status ??= { replicas: 0 };
    if (!spec) return;
    spec.replicas ??= 1;
    defaultPodSpec(spec.template?.spec);
  },
  Pod: (object) => {
    defaultPodSpec(object.spec);
    object.status ??= { phase: 'Pending', qosClass: 'BestEffort' };
  },
  Service: (object, allocateIp) => {
    const { spec } = object;
    if (!spec) return;
    spec.type ??= 'ClusterIP';
    spec.sessionAffinity ??= 'None';
    spec.internalTrafficPolicy ??= 'Cluster';
    spec.ipFamilies ??= ['IPv4'];
    spec.ipFamilyPolicy ??= 'SingleStack';
    if (spec.type !== 'ExternalName') spec.clusterIP ??= allocateIp();
    if (spec.clusterIP && !spec.clusterIPs) spec.clusterIPs = [spec.clusterIP];
    for (const port of spec.ports ?? []) {
      port.protocol ??= 'TCP';
      port.targetPort ??= port.port;
    }
    object.status ??= { loadBalancer: {} };
  },
  Secret: (object) => {
    object.type ??= 'Opaque';
    if (!object.stringData) return;
    object.data = { ...object.data };
    for (const [key, value] of Object.entries(object.stringData)) object.data[key] = Buffer.from(String(value)).toString('base64');
    delete object.stringData;
  },
  HorizontalPodAutoscaler: (object) => {
    const { spec } = object;
    object.status ??= { desiredReplicas: 0, currentMetrics: null };
    if (!spec) return;
    spec.minReplicas ??= 1;
    spec.metrics ??= [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
  },
  ResourceQuota: (object) => {
    object.status ??= {};
  },
  PodDisruptionBudget: (object) => {
    object.status ??= { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  Ingress: (object) => {
    object.status ??= { loadBalancer: {} };
  },
  Job: (object) => {
    object.status ??= {};
    const { spec } = object;
    if (!spec) return;
    spec.parallelism ??= 1;
    spec.completions ??= 1;
    spec.backoffLimit ??= 6;
    spec.completionMode ??= 'NonIndexed';
    spec.suspend ??= false;
    spec.manualSelector ??= false;
    spec.podReplacementPolicy ??= 'TerminatingOrFailed';
    defaultPodSpec(spec.template?.spec);
  },
  CronJob: (object) => {
    object.status ??= {};
    const { spec } = object;
    if (!spec) return;
    spec.concurrencyPolicy ??= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    defaultPodSpec(spec.jobTemplate?.spec?.template?.spec);
  },
};

function defaultPodSpec(spec: Any): void {
  if (!spec) return;
  spec.restartPolicy ??= 'Always';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.securityContext ??= {};
  spec.schedulerName ??= 'default-scheduler';
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) defaultContainer(container);
}

function defaultContainer(container: Any): void {
  container.resources ??= {};
  container.terminationMessagePath ??= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  container.imagePullPolicy ??= /:latest$|^[^:]+$/.test(container.image ?? '') ? 'Always' : 'IfNotPresent';
  for (const port of container.ports ?? []) port.protocol ??= 'TCP';
  for (const name of ['readinessProbe', 'livenessProbe', 'startupProbe']) {
    const probe = container[name];
    if (!probe) continue;
    probe.timeoutSeconds ??= 1;
    probe.periodSeconds ??= 10;
    probe.successThreshold ??= 1;
    probe.failureThreshold ??= 3;
    if (probe.httpGet) probe.httpGet.scheme ??= 'HTTP';
  }
}
