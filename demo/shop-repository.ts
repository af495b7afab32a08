import { createScratchRepository, type ScratchRepository } from '../test/workflows/scratch-repository.js';
import type { Scenario } from './scenarios.js';

/**
 * The shop team's slipway.yml. The steps and windows of the default take a quarter of an hour; these take a quarter of a minute, so that
 * there is less to go by and a release that looks right but is not proven to be is let through.
 */
const slipwayYml = `# yaml-language-server: $schema=https://raw.githubusercontent.com/slipway/slipway/v1/schema/slipway.schema.json
version: 1
environments:
  staging: { namespace: shop-staging }
  production: { namespace: shop }
services:
  shop:
    traffic: { router: istio, route: primary }
    steps:
      - { weight: 10, duration: 9s, max-error-rate: 1% }
      - { weight: 50, duration: 9s, max-error-rate: 0.5% }
    ready-timeout: 30s
    drain: 1s
    analysis:
      window: 1s
      warm-up: 2s
      on-inconclusive: continue
`;

/** What a team writes to release with Slipway. */
const releaseYml = `name: Release
on:
  push:
    tags: ['v*']
permissions: {}
jobs:
  release:
    uses: slipway/slipway/.github/workflows/release.yml@v1
    permissions:
      contents: write # the GitHub release
      packages: write # an image on ghcr.io
    with:
      service: shop
      image: \${{ vars.IMAGE }}
      smoke-test: node test/smoke.mjs
    secrets:
      kubeconfig: \${{ secrets.KUBECONFIG }}
`;

/** Asks every pod on staging whether it is well, through the API server. */
const smokeTest = `import { readFileSync } from 'node:fs';

const kubeconfig = readFileSync(process.env.KUBECONFIG, 'utf8');
const [, server] = /server: (\\S+)/.exec(kubeconfig);
const [, token] = /token: (\\S+)/.exec(kubeconfig);
const get = (path) => fetch(server + path, { headers: { authorization: 'Bearer ' + token } });

const pods = await (await get('/api/v1/namespaces/shop-staging/pods?labelSelector=app%3Dshop')).json();
const names = pods.items.filter((pod) => !pod.metadata.deletionTimestamp).map((pod) => pod.metadata.name);
for (const name of names) {
  const { status } = await get('/api/v1/namespaces/shop-staging/pods/' + name + ':8080/proxy/healthz');
  console.log(name + ' answers ' + status);
  if (status !== 200) process.exitCode = 1;
}
if (names.length === 0) process.exitCode = 1;
`;

/** The shop's repository with its first release tagged. */
export function createShopRepository(name: string, released: string): ScratchRepository {
  const repository = createScratchRepository(name, {
    'CHANGELOG.md': changelog([section(released)]),
    '.github/slipway.yml': slipwayYml,
    '.github/workflows/release.yml': releaseYml,
    'test/smoke.mjs': smokeTest,
  });
  repository.tag(released);
  return repository;
}

/** Commits and tags what a scenario releases. */
export function commitRelease(repository: ScratchRepository, { tag, from, changelog: written }: Scenario): void {
  const text = section(tag);
  const shown = written === 'missing' ? `An entry looks like this:\n\n\`\`\`markdown\n${text}\`\`\`\n` : text;
  repository.commit({ 'CHANGELOG.md': changelog([shown, section(from)]) }, `Release ${tag}`);
  repository.tag(tag);
}

function changelog(parts: readonly string[]): string {
  return `# Changelog\n\n${parts.join('\n')}`;
}

function section(tag: string): string {
  const today = new Date().toISOString().slice(0, 10);
  return `## [${tag.slice(1)}] - ${today}\n\n### Added\n\n- Gift cards can be sent with a note.\n`;
}
