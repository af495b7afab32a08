import { type KubeObject, resources } from '@slipway/cluster';
import { formatDuration, mdTable, mdText, OperationError } from '@slipway/core';
import type { RolloutDeps } from './deps.js';

/**
 * What is known of the watchdog in the cluster (docs/rbac/watchdog.yaml). `quiet`, `rest`: milliseconds of silence after which it acts, while a
 * run is at work and between two jobs.
 */
export type WatchdogGuard =
  | { kind: 'active'; quiet: number; rest: number }
  | { kind: 'suspended' }
  | { kind: 'missing' }
  /** It may not be asked for, or could not be read; or it is one of another service. */
  | { kind: 'unknown'; why: string };

/** Who sends users back when the run that moves them dies. */
export interface Guards {
  /** The run is a job of GitHub Actions, whose post step runs after a cancellation. */
  inRunner: boolean;
  /** Name of the CronJob that was looked for. */
  cronJob: string;
  watchdog: WatchdogGuard;
}

/** What the watchdog waits when its CronJob does not say, seconds. */
const patience = { QUIET_SECONDS: 90, REST_SECONDS: 1800 };

/** Looks for the guards of a target. One request; what cannot be read is not known, and never an error. */
export async function readGuards({ client, target, context }: RolloutDeps): Promise<Guards> {
  const cronJob = `slipway-watchdog-${target.workload}`;
  const guards = { inRunner: context.runUrl !== undefined, cronJob };
  try {
    const found = await client.withSignal(context.signal).find(resources.cronjobs, target.namespace, cronJob);
    return { ...guards, watchdog: watchdogOf(found, target) };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof OperationError)) throw error;
    const why = error.reason === 'FORBIDDEN' ? 'the kubeconfig’s user may not `get` CronJobs' : error.message;
    return { ...guards, watchdog: { kind: 'unknown', why } };
  }
}

function watchdogOf(cronJob: KubeObject | undefined, { namespace, workload }: RolloutDeps['target']): WatchdogGuard {
  if (!cronJob) return { kind: 'missing' };
  if (cronJob.spec?.suspend === true) return { kind: 'suspended' };
  const given = environmentOf(cronJob);
  if (given.get('NAMESPACE') !== namespace || given.get('WORKLOAD') !== workload) {
    return { kind: 'unknown', why: `it guards ${given.get('NAMESPACE') ?? '?'}/${given.get('WORKLOAD') ?? '?'}` };
  }
  const milliseconds = (name: keyof typeof patience) => Number(given.get(name) ?? patience[name]) * 1000;
  const [quiet, rest] = [milliseconds('QUIET_SECONDS'), milliseconds('REST_SECONDS')];
  return quiet > 0 && rest > 0
    ? { kind: 'active', quiet, rest }
    : { kind: 'unknown', why: 'its QUIET_SECONDS or REST_SECONDS is not a number above 0' };
}

function environmentOf({ spec }: KubeObject): Map<string, string> {
  const containers = spec?.jobTemplate?.spec?.template?.spec?.containers;
  const env: unknown[] = Array.isArray(containers) && Array.isArray(containers[0]?.env) ? containers[0].env : [];
  return new Map(
    env.map((each) => each as { name?: unknown; value?: unknown }).map(({ name, value }) => [String(name), String(value ?? '')]),
  );
}

/**
 * Who guards the rollout, as Markdown for the job summary. `window`: length of one window of the analysis, milliseconds, when it is known; a
 * watchdog that does not wait for two of them takes a run for dead that is at work. Pure.
 */
export function guardsReport(guards: Guards, { window }: { window?: number } = {}): string {
  const table = mdTable(
    ['If this run dies', 'users are sent back'],
    [
      [
        'post step',
        guards.inRunner
          ? 'within seconds, as long as the runner itself lives (cancelled, failed)'
          : 'not active: this is no job of GitHub Actions',
      ],
      ['watchdog', watchdogWords(guards)],
      ['sweeper', 'not known: it is a workflow (sweeper.yml), which cannot be seen from here'],
    ].map((row) => row.map(mdText)),
  );
  return [table, ...warnings(guards, window).map((warning) => `> ${mdText(warning)}`)].join('\n\n');
}

function watchdogWords({ watchdog, cronJob }: Guards): string {
  switch (watchdog.kind) {
    case 'active':
      return `after ${formatDuration(watchdog.quiet)} of silence at work, or ${formatDuration(watchdog.rest)} between two jobs, by CronJob ${cronJob}`;
    case 'suspended':
      return `not active: CronJob ${cronJob} is suspended`;
    case 'missing':
      return `not active: there is no CronJob ${cronJob}`;
    case 'unknown':
      return `not known: ${watchdog.why}`;
  }
}

function warnings({ watchdog }: Guards, window: number | undefined): string[] {
  if (watchdog.kind === 'missing' || watchdog.kind === 'suspended') {
    return [
      'When the runner is lost nobody in the cluster sends users back. Apply docs/rbac/watchdog.yaml, or call sweeper.yml on a schedule.',
    ];
  }
  if (watchdog.kind !== 'active' || window === undefined || watchdog.quiet >= 2 * window) return [];
  return [
    `The watchdog waits ${formatDuration(watchdog.quiet)}, but an analysis writes once in ${formatDuration(window)}: raise QUIET_SECONDS to twice that, or it sends users back in the middle.`,
  ];
}
