import { parseQuantity } from '../controllers/quantity.js';
import { imageTag, type KubeObject } from '../kube/object.js';
import type { SeededRandom } from '../seeded-random.js';

/** Begins every annotation that the sandbox reads. */
export const annotationPrefix = 'sandbox.slipway.dev/';

/** What a pod does. Times in milliseconds, rates as fractions. */
export interface Behaviour {
  mode: 'ready' | 'notready' | 'crash' | 'nopull';
  errorRate: number;
  errorCode: number;
  /** Errors only below this path. */
  errorPath: string;
  /** Share of requests never answered. */
  hangRate: number;
  /** Log-normal latency: median and sigma. p99 = p50 · exp(2.33 σ). */
  latencyP50: number;
  latencySigma: number;
  slow: number;
  coldStart: number;
  coldErrorRate: number;
  coldLatency: number;
  /** Growth per minute. */
  leakErrorRate: number;
  leakLatency: number;
  /** Errors, hangs and slowness begin this long after a start. */
  startAfter: number;
  failAfter: number;
  crashEvery: number;
  crashBackoff: number;
  unreadyAfter: number;
  unhealthyAfter: number;
  /** Cores that one request per second keeps busy. */
  cpuPerRequest: number;
  /** How many pods of the ReplicaSet are bad; undefined: all. */
  badPods?: number;
}

function healthy(): Behaviour {
  return {
    mode: 'ready',
    errorRate: 0,
    errorCode: 500,
    errorPath: '',
    hangRate: 0,
    latencyP50: 10,
    latencySigma: 0.4,
    slow: 1,
    coldStart: 0,
    coldErrorRate: 0.2,
    coldLatency: 5,
    leakErrorRate: 0,
    leakLatency: 0,
    startAfter: 0,
    failAfter: 0,
    crashEvery: 0,
    crashBackoff: 1000,
    unreadyAfter: 0,
    unhealthyAfter: 0,
    cpuPerRequest: 0.01,
  };
}

const number = String.raw`(\d+(?:\.\d+)?)`;
const tagWords: readonly [pattern: RegExp, set: (to: Behaviour, value: number) => void][] = (
  [
    ['errors-N pct', (to, value) => assign(to, 'errorRate', value / 100)],
    ['hangs-N pct', (to, value) => assign(to, 'hangRate', value / 100)],
    ['slow-N x', (to, value) => assign(to, 'slow', value)],
    ['p50-N ms', (to, value) => assign(to, 'latencyP50', value)],
    ['coldstart-N s', (to, value) => assign(to, 'coldStart', value * 1000)],
    ['leak-N pct', (to, value) => assign(to, 'leakErrorRate', value / 100)],
    ['leak-N ms', (to, value) => assign(to, 'leakLatency', value)],
    ['failafter-N s', (to, value) => assign(to, 'failAfter', value * 1000)],
    ['crashevery-N s', (to, value) => assign(to, 'crashEvery', value * 1000)],
    ['unready-N s', (to, value) => assign(to, 'unreadyAfter', value * 1000)],
    ['after-N s', (to, value) => assign(to, 'startAfter', value * 1000)],
    ['N bad', (to, value) => assign(to, 'badPods', value)],
  ] as [string, (to: Behaviour, value: number) => void][]
).map(([word, set]) => [new RegExp(`(?:^|-)${word.replace('N ', number).replace(/^N/, number)}(?=-|$)`), set]);

function readTag(to: Behaviour, tag: string): void {
  for (const [pattern, set] of tagWords) {
    const match = pattern.exec(tag);
    if (match) set(to, Number(match[1]));
  }
  const words = tag.split('-');
  for (const mode of ['notready', 'crash', 'nopull'] as const) if (words.includes(mode)) to.mode = mode;
}

const annotations: Record<string, (to: Behaviour, text: string) => void> = {
  behavior: (to, text) => {
    if (text === 'ready' || text === 'notready' || text === 'crash' || text === 'nopull') to.mode = text;
  },
  'error-rate': (to, text) => assign(to, 'errorRate', parseRate(text)),
  'error-code': (to, text) => assign(to, 'errorCode', parseRate(text)),
  'error-path': (to, text) => assign(to, 'errorPath', text),
  'hang-rate': (to, text) => assign(to, 'hangRate', parseRate(text)),
  'latency-p50': (to, text) => assign(to, 'latencyP50', parseSpan(text)),
  'latency-sigma': (to, text) => assign(to, 'latencySigma', parseRate(text)),
  slow: (to, text) => assign(to, 'slow', parseRate(text)),
  'cold-start': (to, text) => assign(to, 'coldStart', parseSpan(text)),
  'cold-error-rate': (to, text) => assign(to, 'coldErrorRate', parseRate(text)),
  'cold-latency': (to, text) => assign(to, 'coldLatency', parseRate(text)),
  'leak-error-rate': (to, text) => assign(to, 'leakErrorRate', parseRate(text)),
  'leak-latency': (to, text) => assign(to, 'leakLatency', parseSpan(text)),
  'start-after': (to, text) => assign(to, 'startAfter', parseSpan(text)),
  'fail-after': (to, text) => assign(to, 'failAfter', parseSpan(text)),
  'crash-every': (to, text) => assign(to, 'crashEvery', parseSpan(text)),
  'crash-backoff': (to, text) => assign(to, 'crashBackoff', parseSpan(text)),
  'unready-after': (to, text) => assign(to, 'unreadyAfter', parseSpan(text)),
  'unhealthy-after': (to, text) => assign(to, 'unhealthyAfter', parseSpan(text)),
  'cpu-per-request': (to, text) => assign(to, 'cpuPerRequest', parseQuantity(text)),
  'bad-pods': (to, text) => assign(to, 'badPods', parseRate(text)),
};

function assign<K extends keyof Behaviour>(to: Behaviour, key: K, value: Behaviour[K] | undefined): void {
  if (value !== undefined) to[key] = value;
}

/** `0.05`, `5%` or `2x`; undefined for anything else. */
export function parseRate(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(%|x)?$/.exec(text?.trim() ?? '');
  return match ? Number(match[1]) * (match[2] === '%' ? 0.01 : 1) : undefined;
}

/** `300ms`, `5s`, `2m`, as milliseconds; undefined for anything else. */
export function parseSpan(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text?.trim() ?? '');
  const unit = { ms: 1, s: 1000, m: 60_000 }[match?.[2] ?? ''];
  return match && unit ? Number(match[1]) * unit : undefined;
}

/**
 * Defaults, then the words of the image tags, then annotations. `place` is the pod's place among its ReplicaSet's pods, from 0: where only
 * some pods are bad, those with the lowest places are.
 */
export function behaviourOf(pod: KubeObject, place: number): Behaviour {
  const read = healthy();
  for (const container of pod.spec.containers) readTag(read, imageTag(container.image));
  for (const [name, set] of Object.entries(annotations)) {
    const text = pod.metadata.annotations?.[annotationPrefix + name];
    if (text !== undefined) set(read, text);
  }
  if (read.badPods === undefined || place < read.badPods) return read;
  return { ...healthy(), latencyP50: read.latencyP50, latencySigma: read.latencySigma, cpuPerRequest: read.cpuPerRequest };
}

/** How long one request takes at this uptime, milliseconds. */
export function drawLatency(of: Behaviour, uptime: number, random: SeededRandom): number {
  let median = of.latencyP50;
  if (uptime >= of.startAfter) median = median * of.slow + (of.leakLatency * uptime) / 60_000;
  if (uptime < of.coldStart) median *= of.coldLatency;
  return median * Math.exp(of.latencySigma * random.normal());
}

/** Whether one request is answered with an error. */
export function drawError(of: Behaviour, uptime: number, path: string, random: SeededRandom): boolean {
  let rate = uptime >= of.startAfter ? of.errorRate + (of.leakErrorRate * uptime) / 60_000 : 0;
  if (uptime < of.coldStart) rate = Math.max(rate, of.coldErrorRate);
  return path.startsWith(of.errorPath) && random.next() < rate;
}

export function drawHang(of: Behaviour, uptime: number, random: SeededRandom): boolean {
  return of.hangRate > 0 && uptime >= of.startAfter && random.next() < of.hangRate;
}

/** Whether its readiness probe succeeds; without a probe only `notready` counts. */
export function passesReadiness(of: Behaviour, uptime: number, hasProbe: boolean): boolean {
  return of.mode !== 'notready' && !(hasProbe && of.unreadyAfter > 0 && uptime >= of.unreadyAfter);
}
