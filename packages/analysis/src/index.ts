export { addCounts, countsProblem, errorRate, noCounts } from './counts.js';
export * from './create-judge.js';
export * from './judge-config.js';
export { latencyQuantile } from './quantile.js';
export * from './replay.js';
export { type FetchPods, type PodMetricNames, type PodPage, podMetricsSource, samplePods } from './sources/pod-metrics.js';
export {
  type PrometheusConfig,
  type PrometheusPorts,
  type PrometheusTiming,
  prometheusSource,
  type TrackedPod,
} from './sources/prometheus.js';
export { readTraces, type Trace } from './trace-format.js';
export * from './triggers.js';
export * from './types.js';
export * from './windows.js';
