import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { root } from '../../scripts/node24.mjs';
import { evaluateTexts, isTrue } from './executor/evaluate.js';
import type { StepsJob } from './executor/model.js';
import { readAction, readWorkflow } from './executor/parse.js';

const repository = { name: 'slipway/slipway', directory: root };
const directory = '.github/workflows';
const files = readdirSync(join(root, directory)).filter((file) => /\.ya?ml$/.test(file));

/** Status functions that are not asked. */
const never = { success: () => false, failure: () => false, cancelled: () => false };

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Job {
  permissions?: Record<string, string>;
  'timeout-minutes'?: number | string;
  concurrency?: { 'cancel-in-progress'?: boolean };
  steps?: Step[];
}

const read = (file: string) => readFileSync(join(root, directory, file), 'utf8');
const jobsOf = (file: string): [string, Job][] => Object.entries(parse(read(file)).jobs);
const stepsOf = (file: string) => jobsOf(file).flatMap(([, job]) => job.steps ?? []);

describe.each(files)('%s', (file) => {
  it("is accepted by GitHub's own parser", async () => {
    await expect(readWorkflow(repository, `${directory}/${file}`)).resolves.toBeDefined();
  });

  it('grants nothing at the top, and says why for each grant of a job', () => {
    expect(parse(read(file)).permissions).toEqual({});
    for (const [, job] of jobsOf(file)) expect(job.permissions).toBeDefined();
    const grants = read(file)
      .split('\n')
      .filter((line) => /^\s+(contents|packages|id-token|deployments|checks|issues|pull-requests): (read|write)/.test(line));
    for (const line of grants) expect(line).toMatch(/ # \S+/);
  });

  it('limits the time of each job', () => {
    for (const [id, job] of jobsOf(file)) expect([id, job['timeout-minutes']]).not.toEqual([id, undefined]);
  });

  it('pins third-party actions to commits, with the version beside', () => {
    const uses = read(file)
      .split('\n')
      .filter((line) => /^\s*(- )?uses:/.test(line) && !line.includes('uses: $/'));
    for (const line of uses) expect(line).toMatch(/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('puts no expression into a script, and keeps no credentials in a checkout', () => {
    for (const { run, uses, with: inputs } of stepsOf(file)) {
      expect(run ?? '').not.toContain('${{');
      if (uses?.startsWith('actions/checkout@')) expect(inputs).toMatchObject({ 'persist-credentials': false });
    }
  });

  it('gives its own actions inputs that they have, and all that they require', () => {
    for (const { uses, with: given = {} } of stepsOf(file)) {
      if (!uses?.startsWith('$/')) continue;
      expect(existsSync(join(root, uses.slice(2)))).toBe(true);
      const { inputs } = readAction(repository, uses.slice(2));
      expect([...inputs.keys()]).toEqual(expect.arrayContaining(Object.keys(given)));
      const required = [...inputs].filter(([, input]) => input.required && input.default === undefined).map(([name]) => name);
      expect(Object.keys(given)).toEqual(expect.arrayContaining(required));
    }
  });
});

describe('release.yml', () => {
  it('never cancels a deployment for another', () => {
    const groups = jobsOf('release.yml').flatMap(([, { concurrency }]) => (concurrency ? [concurrency] : []));
    expect(groups).toHaveLength(2);
    for (const group of groups) expect(group['cancel-in-progress']).toBe(false);
  });

  it.each([
    ['rolled-back', 'success', { 'rolled-back': 'true', reason: 'ROLLED_BACK' }],
    ['rolled-back', 'success', { 'rolled-back': 'false', reason: 'ALREADY_GOOD' }],
    ['nothing-moved', 'success', { 'rolled-back': 'false', reason: 'NOTHING_TO_DO' }],
    ['rollback-failed', 'failure', { 'rolled-back': 'false', reason: 'LEASE_HELD' }],
    ['rollback-failed', 'failure', {}],
    ['failed', 'skipped', {}],
  ])('tells that it is %s when the way back ended with %s %j', async (event, outcome, outputs) => {
    const { jobs } = await readWorkflow(repository, `${directory}/release.yml`);
    const note = (jobs.get('production') as StepsJob).steps.find(({ name }) => JSON.stringify(name).includes('did not get through'));
    const scope = {
      contexts: { steps: { rollback: { outcome, outputs }, begin: { outputs: {} } }, inputs: {}, env: {}, secrets: {} },
      status: { success: () => false, failure: () => true, cancelled: () => false },
    };
    expect(evaluateTexts(note?.with, scope).event).toBe(event);
  });

  describe('goes back', () => {
    interface Case {
      onHold?: string;
      held?: boolean;
      before?: boolean;
      /** How the production job fares. */
      result: 'failure' | 'cancelled' | 'success';
    }

    async function wayBack({ onHold = 'rollback', held = false, before = false, result }: Case) {
      const { jobs } = await readWorkflow(repository, `${directory}/release.yml`);
      const job = jobs.get('production') as StepsJob;
      const safety = jobs.get('rollback') as StepsJob;
      const status = { success: () => result === 'success', failure: () => result === 'failure', cancelled: () => result === 'cancelled' };
      const inputs = { 'on-hold': onHold };
      const steps = {
        start: { outputs: { outcome: 'pass', reason: before ? 'ALREADY_RELEASED' : 'STEP_IN_FORCE' } },
        'analyze-1': { outputs: { outcome: held ? 'hold' : 'pass' } },
      };
      const outputs = { held: String(held), 'released-before': String(before) };
      return {
        job: isTrue(job.steps.find(({ id }) => id === 'rollback')?.if ?? '', { contexts: { inputs, steps }, status }),
        safety: isTrue(safety.if, { contexts: { inputs, needs: { production: { result, outputs } } }, status }),
      };
    }

    it.each<[string, Case, boolean]>([
      ['after a failure', { result: 'failure' }, true],
      ['after a cancellation', { result: 'cancelled' }, true],
      ['when the judge held', { result: 'failure', held: true }, true],
      ['not when it held and is to be kept', { result: 'failure', held: true, onHold: 'keep' }, false],
      ['when it held, is to be kept, and was cancelled then', { result: 'cancelled', held: true, onHold: 'keep' }, true],
      ['not in a re-run of what was through before', { result: 'cancelled', before: true }, false],
      ['not after a good end', { result: 'success' }, false],
    ])('%s', async (_, given, back) => {
      expect(await wayBack(given)).toEqual({ job: back, safety: back });
    });

    it('in the safety job from what is unfinished alone: a release that was promoted before its runner was lost stays', async () => {
      const { jobs } = await readWorkflow(repository, `${directory}/release.yml`);
      const given = (id: string) => {
        const step = (jobs.get(id) as StepsJob).steps.find(({ uses }) => uses?.endsWith('/auto-rollback'));
        const scope = { contexts: { inputs: {}, needs: {}, steps: { kubeconfig: { outputs: {} } }, env: {} }, status: never };
        return evaluateTexts(step?.with, scope)['only-unfinished'];
      };
      expect([given('rollback'), given('production')]).toEqual(['true', undefined]);
    });

    it('in the safety job also when the runner was lost and told nothing', async () => {
      const { jobs } = await readWorkflow(repository, `${directory}/release.yml`);
      const needs = { production: { result: 'failure', outputs: {} } };
      const status = { success: () => false, failure: () => true, cancelled: () => false };
      expect(isTrue(jobs.get('rollback')?.if ?? '', { contexts: { inputs: { 'on-hold': 'rollback' }, needs }, status })).toBe(true);
    });
  });

  it('describes every input, secret and output', () => {
    const { inputs, secrets, outputs } = parse(read('release.yml')).on.workflow_call;
    for (const described of [inputs, secrets, outputs].flatMap((group) => Object.values(group as object))) {
      expect((described as { description?: string }).description).toMatch(/\S/);
    }
  });
});
