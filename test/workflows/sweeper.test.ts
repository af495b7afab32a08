import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, shop, startSandbox } from '@slipway/sandbox';
import { parse } from 'yaml';
import { root } from '../../scripts/node24.mjs';
import { runAction } from '../acceptance/run-action.js';
import { runScratch } from './run-scratch.js';

const config = `version: 1
environments:
  production: { namespace: shop }
services:
  shop:
    traffic: { router: istio }
    steps: [{ weight: 10, duration: 60s }]
    ready-timeout: 20s
    drain: 1s
`;
const caller = `name: Sweep
on:
  workflow_run: { workflows: [Release], types: [completed] }
  schedule: [{ cron: '*/15 * * * *' }]
permissions: {}
jobs:
  sweep:
    uses: slipway/slipway/.github/workflows/sweeper.yml@v1
    permissions:
      contents: read
    with:
      service: shop
      quiet: 3s
      rest: 1s
    secrets:
      kubeconfig: \${{ secrets.KUBECONFIG }}
`;

let sandbox: Sandbox;
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-sweeper-'));
  sandbox = await startSandbox();
  await shop(sandbox, { namespaces: ['shop'] });
});
afterEach(async () => {
  await sandbox.stop();
  rmSync(directory, { recursive: true, force: true });
});

const kubeconfig = () => sandbox.writeKubeconfig(join(directory, 'kubeconfig'));
const hasCanary = () => sandbox.find('Deployment', 'shop', 'shop-canary') !== undefined;

async function sweep(name: 'schedule' | 'workflow_run', rest = '1s') {
  const outputs: Record<string, string> = {};
  const done = await runScratch(
    { '.github/workflows/main.yml': caller.replace('rest: 1s', `rest: ${rest}`), '.github/slipway.yml': config },
    {
      event: { name },
      repositories: { 'slipway/slipway': { name: 'slipway/slipway', directory: root } },
      secrets: { KUBECONFIG: readFileSync(kubeconfig(), 'utf8') },
      onEvent: (event) => {
        if (event.type === 'output' && event.job === 'sweep / sweep') outputs[event.name] = event.value;
      },
    },
  );
  return { ...done, outputs };
}

/** A release whose job came no further than its first step. */
async function startRollout(): Promise<void> {
  const { code, stdout } = await runAction({
    entry: 'canary-deploy',
    inputs: { command: 'start', image: 'registry.example/shop:v1.4.0', namespace: 'shop', workload: 'shop', service: 'shop' },
    env: { KUBECONFIG: kubeconfig() },
  });
  if (code !== 0) throw new Error(stdout);
}

describe('sweeper.yml with the committed dist, in the sandbox', () => {
  it('has nothing to do when a release went well, and ends the one whose run died', async () => {
    const idle = await sweep('workflow_run');
    expect([idle.errors, idle.conclusion, idle.outputs.reason]).toEqual([[], 'success', 'NOTHING_TO_DO']);

    await startRollout();
    expect(hasCanary()).toBe(true);
    // Longer than it may rest; the API server's times are whole seconds.
    await new Promise((rested) => setTimeout(rested, 3_000));
    const swept = await sweep('schedule');
    expect([swept.errors, swept.conclusion]).toEqual([[], 'success']);
    expect(swept.outputs).toMatchObject({ reason: 'RECONCILED', 'rolled-back': 'true' });
    expect(hasCanary()).toBe(false);
  }, 90_000);

  it('leaves a release alone that rests between two jobs', async () => {
    await startRollout();
    const { conclusion, outputs } = await sweep('schedule', '30m');
    expect([conclusion, outputs.reason, hasCanary()]).toEqual(['success', 'RESTING', true]);
  }, 90_000);
});

describe('docs/workflows.md', () => {
  it('shows a caller that hands over inputs which sweeper.yml has, and starts it when a release has ended and by the clock', () => {
    const section = readFileSync(join(root, 'docs/workflows.md'), 'utf8').split('\n## sweeper.yml\n')[1] ?? '';
    const shown = parse(/```yaml\n([\s\S]*?)```/.exec(section)?.[1] ?? '');
    const { inputs, secrets } = parse(readFileSync(join(root, '.github/workflows/sweeper.yml'), 'utf8')).on.workflow_call;
    const [job] = Object.values(shown.jobs) as { with: object; secrets: object; uses: string }[];
    expect(job?.uses).toMatch(/\/sweeper\.yml@v1$/);
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(job?.with ?? {})));
    expect(Object.keys(secrets)).toEqual(expect.arrayContaining(Object.keys(job?.secrets ?? {})));
    expect(shown.on).toMatchObject({ workflow_run: { types: ['completed'] }, schedule: [{ cron: expect.any(String) }] });
  });
});
