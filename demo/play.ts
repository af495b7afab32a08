import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { node24, root } from '../scripts/node24.mjs';
import type { RunEvent } from '../test/workflows/executor/events.js';
import { runWorkflow } from '../test/workflows/executor/run.js';
import { createStandIns } from '../test/workflows/executor/stand-ins.js';
import { observe } from './observe.js';
import type { Entry, Recording } from './recording.js';
import { imageOf, type Scenario } from './scenarios.js';
import { commitRelease } from './shop-repository.js';
import { canaryWeight, type World } from './world.js';

/** What the jobs' tokens may do together: the caller grants no more. */
const jobToken = 'ghs_demo00000000000000000000000000000000';

/** How long users have met the canary when the run is cancelled, milliseconds. */
const cancelAfter = 2_500;

/**
 * Plays one scenario: commits and tags the release, and runs the shipped release.yml as GitHub would. `onEntry` hears of everything as it
 * happens. An abort of `signal` cancels the run, as the button on GitHub does.
 */
export async function play(scenario: Scenario, world: World, onEntry: (entry: Entry) => void, signal: AbortSignal): Promise<Recording> {
  const { sandbox, repository } = world;
  const { tag, defect } = scenario;
  const timeline: Entry[] = [];
  const cancel = new AbortController();
  const record = (entry: Entry) => {
    timeline.push(entry);
    onEntry(entry);
  };
  const cancelOnce = (reason: string) => {
    if (cancel.signal.aborted) return;
    record({ type: 'cancel', at: Date.now(), reason });
    cancel.abort(reason);
  };
  signal.addEventListener('abort', () => cancelOnce('interrupted'), { once: true });
  commitRelease(repository, scenario);
  pushToGitHub(world, tag);
  const startedAt = Date.now();
  const stopObserving = observe(world, record);
  const onEvent = (event: RunEvent) => {
    record(event);
    if (scenario.cancelled && isJudging(event)) setTimeout(() => cancelOnce('cancelled by the scenario'), cancelAfter);
  };
  const directory = mkdtempSync(join(world.directory, 'run-'));
  try {
    const { conclusion, jobs } = await runWorkflow({
      repository,
      workflow: '.github/workflows/release.yml',
      repositories: { 'slipway/slipway': { name: 'slipway/slipway', directory: root } },
      event: { name: 'push' },
      ref: `refs/tags/${tag}`,
      sha: repository.sha,
      runId: String(startedAt),
      apiUrl: sandbox.githubUrl,
      token: jobToken,
      vars: { IMAGE: imageOf(tag, defect) },
      secrets: { KUBECONFIG: world.kubeconfig },
      node: node24(),
      directory,
      standIns: createStandIns(),
      signal: cancel.signal,
      onEvent,
    });
    const endedAt = Date.now();
    // What was on its way to the old route when the run ended arrives now: the statistics must know of it.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    return { scenario, startedAt, endedAt, conclusion, jobs, timeline, finalWeight: canaryWeight(sandbox) };
  } finally {
    stopObserving();
    rmSync(directory, { recursive: true, force: true });
  }
}

function pushToGitHub({ sandbox, repository }: World, tag: string): void {
  sandbox.github.commit(`Release ${tag}`, 'main', repository.sha);
  sandbox.github.tag(tag, repository.sha);
  sandbox.github.addToken(jobToken, { contents: 'write' });
}

function isJudging(event: RunEvent): boolean {
  return event.type === 'step-start' && event.job.endsWith(' / production') && event.name === 'Judge the first step';
}
