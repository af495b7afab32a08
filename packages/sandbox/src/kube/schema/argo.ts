import { sameJson } from '../object.js';
import { flag, integer, intOrString, list, map, open, type Schema, text } from './schema.js';

const named = (more: Record<string, Schema> = {}): Schema => open({ name: text(), ...more }, { required: ['name'] });

const container = named({
  image: text(),
  ports: list(open({ containerPort: integer(), name: text(), protocol: text({ default: 'TCP' }) }, { required: ['containerPort'] }), {
    keys: ['containerPort', 'protocol'],
  }),
  env: list(named(), { keys: ['name'] }),
});
const podTemplate = open({
  metadata: open({ labels: map(text()), annotations: map(text()) }),
  spec: open(
    { containers: list(container, { keys: ['name'] }), initContainers: list(container, { keys: ['name'] }) },
    { required: ['containers'] },
  ),
});

const analysis = open({
  templates: list(open({ templateName: text(), clusterScope: flag() })),
  args: list(named({ value: text() })),
});
const header = open({ headerName: text(), headerValue: open() }, { required: ['headerName', 'headerValue'] });
const step = open({
  setWeight: integer(),
  pause: open({ duration: intOrString() }),
  analysis,
  setCanaryScale: open({ replicas: integer(), weight: integer(), matchTrafficWeight: flag() }),
  setHeaderRoute: open({ name: text(), match: list(header) }),
  setMirrorRoute: named({ percentage: integer() }),
});
const canary = open({
  steps: list(step),
  stableService: text(),
  canaryService: text(),
  maxSurge: intOrString(),
  maxUnavailable: intOrString(),
  abortScaleDownDelaySeconds: integer(),
  scaleDownDelaySeconds: integer(),
  dynamicStableScale: flag(),
  analysis,
  trafficRouting: open({
    istio: open({
      virtualService: named({ routes: list(text()) }),
      virtualServices: list(named()),
      destinationRule: named({ canarySubsetName: text(), stableSubsetName: text() }),
    }),
    managedRoutes: list(named()),
    plugins: open(),
  }),
});
const blueGreen = open(
  {
    activeService: text(),
    previewService: text(),
    autoPromotionEnabled: flag(),
    autoPromotionSeconds: integer(),
    previewReplicaCount: integer(),
    scaleDownDelaySeconds: integer(),
    abortScaleDownDelaySeconds: integer(),
    prePromotionAnalysis: analysis,
    postPromotionAnalysis: analysis,
  },
  { required: ['activeService'] },
);

/** Rollout of Argo Rollouts, as far as it is read by anyone here. */
export const rollout: Schema = open(
  {
    spec: open({
      replicas: integer(),
      paused: flag(),
      minReadySeconds: integer(),
      progressDeadlineSeconds: integer(),
      progressDeadlineAbort: flag(),
      revisionHistoryLimit: integer(),
      rollbackWindow: open({ revisions: integer() }),
      restartAt: text(),
      selector: open(
        { matchLabels: map(text()) },
        {
          rules: [{ message: '.spec.selector is immutable', holds: (value, before) => before === undefined || sameJson(value, before) }],
        },
      ),
      template: podTemplate,
      workloadRef: open({ apiVersion: text(), kind: text(), name: text(), scaleDown: text() }),
      strategy: open({ canary, blueGreen }),
    }),
    status: open({
      abort: flag(),
      abortedAt: text(),
      canary: open(),
      blueGreen: open(),
      controllerPause: flag(),
      currentPodHash: text(),
      currentStepHash: text(),
      currentStepIndex: integer(),
      HPAReplicas: integer(),
      message: text(),
      observedGeneration: text(),
      pauseConditions: list(open({ reason: text(), startTime: text() }, { required: ['reason', 'startTime'] })),
      phase: text(),
      promoteFull: flag(),
      readyReplicas: integer(),
      replicas: integer(),
      availableReplicas: integer(),
      updatedReplicas: integer(),
      selector: text(),
      stableRS: text(),
      workloadObservedGeneration: text(),
    }),
  },
  { required: ['spec'] },
);

const metric = named({
  provider: open(),
  interval: text(),
  initialDelay: text(),
  count: intOrString(),
  failureLimit: intOrString(),
  inconclusiveLimit: intOrString(),
  consecutiveErrorLimit: intOrString(),
  successCondition: text(),
  failureCondition: text(),
});
const metrics = list({ ...metric, required: ['name', 'provider'] });
const args = list(named({ value: text() }));

export const analysisTemplate: Schema = open({ spec: open({ metrics, args }) }, { required: ['spec'] });

export const analysisRun: Schema = open(
  { spec: open({ metrics, args, terminate: flag() }, { required: ['metrics'] }), status: open({ phase: text(), message: text() }) },
  { required: ['spec'] },
);
