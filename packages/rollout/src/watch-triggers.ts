import {
  type Breach,
  type CounterSample,
  closeWindow,
  type MetricsSource,
  observeTriggers,
  startTriggers,
  type TriggerConfig,
  type TriggerState,
} from '@slipway/analysis';
import { readWorkload } from '@slipway/cluster';
import { formatDuration, isCancellation, mdTable, mdText, OperationError } from '@slipway/core';
import type { RolloutDeps } from './deps.js';
import { observePods, type PodMemory } from './pod-health.js';
import { listPods, type ServicePod } from './pods.js';
import { rolloutStore } from './rollout-record.js';
import { isActive } from './state.js';
import type { Verdict } from './verdicts.js';

export interface WatchOptions {
  source: (pods: () => Promise<readonly ServicePod[]>) => MetricsSource;
  triggers: TriggerConfig;
  /** How long, and how often, milliseconds. */
  duration: number;
  interval: number;
}

export interface Watched {
  /** The trigger that fired; undefined: none did. */
  fired?: Breach;
  verdict: Verdict;
  /** Markdown: what was seen last. */
  report: string;
}

/**
 * Watches the limits that always hold (D1): error rate, p99, failing health checks, restarts, over closed windows; of the canary while there is
 * one (stable beside it guards against an incident that both share), else of the service itself. Ends at the first that fires.
 */
export async function watchTriggers(deps: RolloutDeps, options: WatchOptions): Promise<Watched> {
  const { clock, signal } = deps.context;
  const look = await looker(deps, options);
  const until = clock.now() + options.duration;
  for (let next = clock.now() + options.interval; clock.now() < until; next += options.interval) {
    await clock.sleep(Math.max(0, next - clock.now()), signal);
    const fired = await look.again();
    if (fired) return { fired, verdict: firedVerdict(fired), report: look.report() };
  }
  return { verdict: look.verdict(), report: look.report() };
}

async function looker({ client: initial, target, context }: RolloutDeps, { source: makeSource, triggers, interval }: WatchOptions) {
  const { clock, signal, log, progress } = context;
  const client = initial.withSignal(signal);
  const stable = (await readWorkload(client, target.namespace, target.workload, target.container)).deployment;
  const state = (await rolloutStore(client, target.namespace, target.workload).read())?.value;
  const subject = isActive(state) && state.kind === 'canary' ? 'canary' : 'stable';
  let pods: readonly ServicePod[] | null = null;
  const readPods = async () => {
    pods = await listPods(client, target, stable);
    return pods;
  };
  const source = makeSource(readPods);
  const origin = clock.now();
  let memory: PodMemory = new Map();
  let fold: TriggerState = startTriggers();
  let before = await sample(source, signal);
  const first = observePods(
    memory,
    (pods ?? []).filter(({ track }) => track === subject),
  );
  memory = first.memory;
  let looks = 0;
  let read = 0;
  let seen = 0;
  let held: Breach | undefined;
  const rows: string[][] = [];

  async function again(): Promise<Breach | undefined> {
    pods = null;
    const after = await sample(source, signal);
    const health =
      pods === null
        ? null
        : observePods(
            memory,
            (pods as readonly ServicePod[]).filter(({ track }) => track === subject),
          );
    if (health) memory = health.memory;
    const closed = before && after ? closeWindow(before, after, origin).window : null;
    const counts = closed?.[subject] ?? null;
    looks += 1;
    if (counts) read += 1;
    if (counts && counts.n > 0) seen += 1;
    const { state: next, breaches } = observeTriggers(
      fold,
      {
        t: closed?.t ?? (clock.now() - origin) / 1000,
        length: before && after ? (after.at - before.at) / 1000 : interval / 1000,
        bounds: after?.bounds ?? [],
        subject: counts,
        reference: subject === 'canary' ? (closed?.stable ?? null) : null,
        healthFailures: health?.failing.length ?? null,
        restarts: health?.restarts ?? null,
      },
      triggers,
    );
    fold = next;
    before = after ?? before;
    const words = counts ? `${counts.e} of ${counts.n} requests failed` : 'no data';
    rows.push([
      `${Math.round((clock.now() - origin) / 1000)} s`,
      words,
      String(health?.failing.length ?? '?'),
      String(health?.restarts ?? '?'),
    ]);
    progress(`${subject}: ${words}${health?.words.length ? `; ${health.words.join('; ')}` : ''}`);
    held = breaches.find(({ action }) => action === 'hold');
    if (held) log.warning(held.explanation);
    return breaches.find(({ action }) => action === 'fire');
  }

  return {
    again,
    verdict: () => quietVerdict({ looks, read, seen }, held, clock.now() - origin),
    report: () =>
      mdTable(
        ['At', subject, 'Failing pods', 'Restarts'],
        rows.slice(-12).map((row) => row.map(mdText)),
      ),
  };
}

async function sample(source: MetricsSource, signal: AbortSignal): Promise<CounterSample | null> {
  try {
    return await source.sample(signal);
  } catch (error) {
    if (isCancellation(error, signal) || !(error instanceof OperationError) || error.reason === 'FORBIDDEN') throw error;
    return null;
  }
}

function firedVerdict({ trigger, explanation }: Breach): Verdict {
  return { outcome: 'fail', reason: triggerReason(trigger), summary: `${explanation}.` };
}

/** `error-rate` → `TRIGGER_ERROR_RATE`. */
export function triggerReason(trigger: string): string {
  return `TRIGGER_${trigger.toUpperCase().replaceAll('-', '_')}`;
}

/** `read`: looks at which counters were there; `seen`: those with requests. */
function quietVerdict(
  { looks, read, seen }: { looks: number; read: number; seen: number },
  held: Breach | undefined,
  watched: number,
): Verdict {
  const time = formatDuration(Math.max(1, Math.round(watched / 1000)) * 1000);
  if (held)
    return {
      outcome: 'hold',
      reason: 'SHARED_INCIDENT',
      summary: `${held.explanation}.`,
      next: ['Look for what both versions depend on.'],
    };
  if (seen === 0) {
    return {
      outcome: 'hold',
      reason: 'NO_DATA',
      summary: `No request could be seen in ${time}; that nothing fired means nothing.`,
      next: ['See whether metrics can be read and requests come in.'],
    };
  }
  // Metrics that broke off after the first look say nothing of the rest.
  if (read * 2 < looks) {
    return {
      outcome: 'hold',
      reason: 'NO_DATA',
      summary: `Metrics could be read at ${read} of ${looks} looks in ${time}; that nothing fired means little.`,
      next: ['See whether metrics can be read; then watch again.'],
    };
  }
  return { outcome: 'pass', reason: 'WATCH_PASSED', summary: `No trigger fired in ${time}.` };
}
