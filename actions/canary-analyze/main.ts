import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createJudge, errorRate, formatReplay, type Judgement, replay } from '@slipway/analysis';
import { type Action, type AnalysisSettings, type Context, type Ending, type Inputs, mdTable, mdText, UsageError } from '@slipway/core';
import {
  analysisReport,
  analyze,
  createSource,
  finishCancelled,
  noteUnfinished,
  type OpenedRollout,
  openRollout,
  type ServicePod,
  type Watch,
  wasUnfinished,
} from '@slipway/rollout';
import { contract } from './contract.js';

type Contract = typeof contract;

export const action: Action<Contract> = { contract, main, post };

async function main(inputs: Inputs<Contract>, context: Context): Promise<Ending<Contract>> {
  if (inputs.replay !== undefined && inputs.replay.length > 0) return replayFiles(inputs.replay, inputs.judge, context);
  const opened = await openRollout(inputs, context);
  const settings = settingsOf(inputs, opened);
  const options = {
    watch: (pods: () => Promise<readonly ServicePod[]>) => watchOf(pods, settings, opened, context),
    policy: settings,
    mode: inputs.mode,
    ...(inputs.duration === undefined ? {} : { duration: inputs.duration }),
  };
  const { verdict, state, evidence, judgement } = await noteUnfinished(context, () => analyze(opened.deps, options));
  return {
    ...verdict,
    reason: verdict.reason as Ending<Contract>['reason'],
    outputs: outputsOf(judgement),
    details: {
      rollout: state?.id ?? null,
      phase: state?.phase ?? 'none',
      weight: state?.weight ?? 0,
      split: state?.split ?? null,
      judgement,
      requests: opened.deps.client.requests,
    },
    report: analysisReport(evidence),
  };
}

async function post(inputs: Inputs<Contract>, context: Context): Promise<Ending<Contract>> {
  if (inputs.mode === 'observe' || !wasUnfinished(context)) {
    return { outcome: 'skipped', reason: 'NOTHING_TO_DO', summary: 'Nothing is left to clean up.' };
  }
  const { deps } = await openRollout(inputs, context);
  const verdict = await finishCancelled(deps);
  return { ...verdict, reason: verdict.reason as Ending<Contract>['reason'] };
}

function settingsOf({ judge, provider }: Inputs<Contract>, { service: { analysis } }: OpenedRollout): AnalysisSettings {
  if (provider === 'prometheus' && !analysis.prometheus) {
    throw new UsageError([
      {
        where: 'provider',
        message: '`prometheus` needs its `url`, which slipway.yml does not have',
        example: 'analysis: { provider: prometheus, prometheus: { url: http://prometheus.monitoring:9090 } }',
      },
    ]);
  }
  return { ...analysis, ...(judge === undefined ? {} : { judge }), ...(provider === undefined ? {} : { provider }) };
}

function watchOf(
  pods: () => Promise<readonly ServicePod[]>,
  settings: AnalysisSettings,
  { deps }: OpenedRollout,
  { env, signal }: Context,
): Watch {
  const { clock } = deps.context;
  const source = createSource({ client: deps.client.withSignal(signal), target: deps.target, settings, clock, env, pods });
  return { judge: createJudge(settings), source, window: settings.window, history: settings.prometheus?.history ?? 0 };
}

async function replayFiles(
  files: readonly string[],
  judge: AnalysisSettings['judge'] | undefined,
  { cwd }: Context,
): Promise<Ending<Contract>> {
  const results = [];
  for (const file of files) {
    results.push(...replay(await readTrace(resolve(cwd, file), file), file, createJudge(judge === undefined ? {} : { judge })));
  }
  const backs = results.filter(({ rollback }) => rollback).length;
  return {
    outcome: 'pass',
    reason: 'REPLAYED',
    summary: `${results.length} traces judged: ${backs} would have been rolled back.`,
    stdout: formatReplay(results),
    details: { traces: results.length, rollbacks: backs },
    report: mdTable(
      ['Trace', 'Verdict', 'Rolled back at', 'Metric'],
      results.map(({ trace, verdict, at, metric }) => [mdText(trace), verdict, at === null ? 'never' : `${at} s`, mdText(metric ?? '')]),
    ),
  };
}

async function readTrace(path: string, file: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      [{ where: 'replay', message: `"${file}" cannot be read: ${(error as Error).message}`, example: 'traces/release-1.jsonl' }],
      { cause: error },
    );
  }
}

function outputsOf(judgement: Judgement | null): NonNullable<Ending<Contract>['outputs']> {
  if (!judgement) return { verdict: 'nodata', metric: '', scope: 'release', evidence: {}, windows: 0, 'canary-requests': 0 };
  const { stable, canary } = judgement.totals;
  return {
    verdict: judgement.verdict,
    metric: judgement.metric ?? '',
    scope: judgement.scope,
    evidence: judgement.evidence,
    windows: judgement.windows.judged,
    'canary-error-rate': errorRate(canary) ?? '',
    'stable-error-rate': errorRate(stable) ?? '',
    'canary-requests': canary.n,
  };
}
