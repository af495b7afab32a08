import type { Tally } from '../counts.js';
import { advance, logEvidence, startMixture, type Tolerance, worseThan } from '../e-process.js';
import { effectGrid } from '../effect-grid.js';
import { startPrior, takeShare } from '../start-prior.js';
import type { Window } from '../types.js';
import { readSignal, type Signal } from './signal.js';
import { isWarm } from './warm.js';

/**
 * What is kept of a window to tell a bad pod from a bad release: `[n, e]` per signal, of stable and of each pod, with the pod's warmth.
 * Only the last windows are kept, so that a state with many pods stays small.
 */
export interface PodWindow {
  stable: [n: number, e: number][];
  pods: Record<string, { warm: boolean; tallies: [n: number, e: number][] }>;
}

const mostPodWindows = 600;

export function rememberPods(
  kept: readonly PodWindow[],
  window: Window,
  signals: readonly Signal[],
  length: number,
  warmUp: number,
): PodWindow[] {
  if (!window.stable || !window.pods || window.pods.length < 2) return kept as PodWindow[];
  const stable = window.stable;
  const pods: PodWindow['pods'] = {};
  for (const pod of window.pods)
    pods[pod.id] = { warm: isWarm(pod.age, length, warmUp), tallies: signals.map((signal) => pair(readSignal(signal, pod))) };
  const most = Math.max(1, Math.floor(mostPodWindows / window.pods.length));
  return [...kept.slice(-(most - 1)), { stable: signals.map((signal) => pair(readSignal(signal, stable))), pods }];
}

function pair({ n, e }: Tally): [number, number] {
  return [n, e];
}

/**
 * The one pod that carries the evidence alone, or null. Two things must hold: without the pod nothing is left that would roll back
 * (evidence below 1/α), and the pod is worse than the other canary pods (evidence of at least 1/α after a correction for the number of
 * pods that were tried). The second is needed because at the moment of the verdict leaving out any pod lowers the evidence below its limit.
 */
export function singleBadPod(
  kept: readonly PodWindow[],
  signal: number,
  options: { warmOnly: boolean; tolerance: Tolerance; alpha: number; burst: number },
): string | null {
  const ids = new Set(kept.flatMap((window) => Object.keys(window.pods)));
  if (ids.size < 2) return null;
  const limit = -Math.log(options.alpha);
  for (const id of ids) {
    const apart = evidence(
      kept.flatMap((window) => amongPeers(window, signal, id)),
      options,
    );
    if (apart < limit + Math.log(ids.size)) continue;
    const without = evidence(
      kept.map((window) => withoutPod(window, signal, id, options.warmOnly)),
      options,
    );
    if (without < limit) return id;
  }
  return null;
}

type Comparison = { reference: Tally; sample: Tally };

/** The pod against the other canary pods that are as warm as it is, so that a cold start is compared with a cold start. */
function amongPeers(window: PodWindow, signal: number, id: string): Comparison[] {
  const pod = window.pods[id];
  if (!pod) return [];
  const others = Object.entries(window.pods).filter(([name, { warm }]) => name !== id && warm === pod.warm);
  const reference = others.map(([, { tallies }]) => tallyOf(tallies, signal)).reduce(add, { n: 0, e: 0 });
  return [{ reference, sample: tallyOf(pod.tallies, signal) }];
}

function withoutPod(window: PodWindow, signal: number, id: string, warmOnly: boolean): Comparison {
  const others = Object.entries(window.pods).filter(([name, { warm }]) => name !== id && (warm || !warmOnly));
  const sample = others.map(([, { tallies }]) => tallyOf(tallies, signal)).reduce(add, { n: 0, e: 0 });
  return { reference: tallyOf(window.stable, signal), sample };
}

function tallyOf(tallies: readonly [n: number, e: number][], signal: number): Tally {
  const [n, e] = tallies[signal] ?? [0, 0];
  return { n, e };
}

function add(x: Tally, y: Tally): Tally {
  return { n: x.n + y.n, e: x.e + y.e };
}

function evidence(windows: readonly Comparison[], options: { tolerance: Tolerance; burst: number }): number {
  const grid = effectGrid();
  let prior = startPrior(windows.length);
  let mixture = startMixture(grid, 0);
  for (const { reference, sample } of windows) {
    const { share, next } = takeShare(prior, false);
    mixture = advance(mixture, grid, share, options.burst, worseThan(options.tolerance, reference, sample));
    prior = next;
  }
  return logEvidence(mixture, prior.spent);
}
