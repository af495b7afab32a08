import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { imageOf } from '../../demo/scenarios.js';
import { canaryWeight, createWorld, stableImage, type World } from '../../demo/world.js';
import { node24, root } from '../../scripts/node24.mjs';
import type { RunEvent } from './executor/events.js';
import { runWorkflow } from './executor/run.js';
import { createStandIns, type PushedImage } from './executor/stand-ins.js';

let world: World;

beforeEach(async () => {
  world = await createWorld('v1.4.0');
});

afterEach(() => world.stop());

/** Runs a workflow with these jobs in the shop's repository, for a tag v1.5.0 that has its section in the changelog. */
async function run(jobs: string) {
  const { repository, sandbox } = world;
  repository.commit(
    {
      '.github/workflows/test.yml': `on: push\npermissions: {}\njobs:\n${jobs}`,
      'CHANGELOG.md': '# Changelog\n\n## [1.5.0] - 2026-01-05\n\n- Better.\n',
      Dockerfile: 'FROM scratch\n',
    },
    'Release v1.5.0',
  );
  repository.tag('v1.5.0');
  const directory = mkdtempSync(join(world.directory, 'run-'));
  const events: RunEvent[] = [];
  const pushed: PushedImage[] = [];
  const result = await runWorkflow({
    repository,
    workflow: '.github/workflows/test.yml',
    repositories: { 'slipway/slipway': { name: 'slipway/slipway', directory: root } },
    event: { name: 'push' },
    ref: 'refs/tags/v1.5.0',
    sha: repository.sha,
    apiUrl: sandbox.githubUrl,
    token: sandbox.githubToken,
    secrets: { KUBECONFIG: world.kubeconfig },
    node: node24(),
    directory,
    standIns: createStandIns((image) => pushed.push(image)),
    onEvent: (event) => events.push(event),
  });
  rmSync(directory, { recursive: true, force: true });
  const lines = events.flatMap((event) => (event.type === 'line' ? [event.text] : []));
  return { ...result, events, pushed, lines };
}

describe('release.yml', () => {
  it('builds, deploys by digest to staging, and puts staging back when its smoke test fails', async () => {
    const images: string[] = [];
    world.sandbox.on('write', ({ resource, namespace }) => {
      if (resource.startsWith('deployments') && namespace === 'shop-staging') images.push(stableImage(world.sandbox, namespace));
    });
    const { conclusion, jobs, pushed, lines } = await run(`
  release:
    uses: slipway/slipway/.github/workflows/release.yml@v1
    permissions: { contents: write, packages: write }
    with:
      service: shop
      image: ghcr.io/acme/shop
      build: true
      smoke-test: echo "tested $IMAGE of $VERSION"; exit 1
    secrets: { kubeconfig: "\${{ secrets.KUBECONFIG }}" }
`);
    expect(conclusion).toBe('failure');
    const [image] = pushed;
    expect(pushed).toMatchObject([{ tags: ['ghcr.io/acme/shop:1.5.0'] }]);
    expect(lines).toContain(`tested ghcr.io/acme/shop@${image?.digest} of 1.5.0`);
    expect(images).toEqual([`ghcr.io/acme/shop@${image?.digest}`, imageOf('v1.4.0')]);
    expect(jobs.get('release / build')?.outputs).toEqual({ digest: image?.digest });
    expect(['staging', 'production', 'rollback', 'publish'].map((job) => jobs.get(`release / ${job}`)?.conclusion)).toEqual([
      'failure',
      'skipped',
      'skipped',
      'skipped',
    ]);
    expect(world.sandbox.writes.filter(({ namespace }) => namespace === 'shop')).toEqual([]);
  }, 40_000);

  it('does not touch production without a kubeconfig that leads to the cluster', async () => {
    const { jobs } = await run(`
  release:
    uses: slipway/slipway/.github/workflows/release.yml@v1
    permissions: { contents: write, packages: write }
    with: { service: shop, image: "registry.example/shop:v1.5.0" }
`);
    expect(jobs.get('release / staging')?.conclusion).toBe('failure');
    expect(jobs.get('release / production')?.conclusion).toBe('skipped');
    expect(world.sandbox.writes).toEqual([]);
  }, 40_000);
});

describe('rollback.yml', () => {
  it('sends users back from a canary, and does nothing the second time', async () => {
    const call = (needs: string) => `
    needs: ${needs}
    uses: slipway/slipway/.github/workflows/rollback.yml@v1
    permissions: { contents: read }
    with: { service: shop, why: payments fail }
    secrets: { kubeconfig: "\${{ secrets.KUBECONFIG }}" }
`;
    const weights: number[] = [];
    world.sandbox.on('write', () => weights.push(canaryWeight(world.sandbox)));
    const { conclusion, jobs } = await run(`
  start:
    runs-on: ubuntu-latest
    steps:
      - { uses: actions/checkout@v6 }
      - { id: kubeconfig, uses: slipway/slipway/.github/actions/kubeconfig@v1, with: { content: "\${{ secrets.KUBECONFIG }}" } }
      - uses: slipway/slipway/actions/canary-deploy@v1
        with:
          command: start
          service: shop
          environment: production
          image: registry.example/shop:v1.5.0
          kubeconfig: \${{ steps.kubeconfig.outputs.path }}
  first:${call('start')}
  again:${call('first')}
`);
    expect(conclusion).toBe('success');
    expect(Math.max(...weights)).toBe(10);
    expect(weights.at(-1)).toBe(0);
    expect(jobs.get('first')?.outputs).toEqual({ 'rolled-back': 'true' });
    expect(jobs.get('again')?.outputs).toEqual({ 'rolled-back': 'false' });
    expect(stableImage(world.sandbox, 'shop')).toBe(imageOf('v1.4.0'));
  }, 40_000);
});
