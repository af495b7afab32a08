import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gitEnvironment } from './git-environment.js';
import type { StandIn, StandInCall } from './runtime.js';

const run = promisify(execFile);

/** An image that a workflow pushed. */
export interface PushedImage {
  tags: string[];
  digest: string;
}

/**
 * The third-party actions that the project's own workflows use, played as far as those workflows can tell the difference.
 * `onPush` hears of every image that docker/build-push-action would have pushed.
 */
export function createStandIns(onPush: (image: PushedImage) => void = () => {}): Record<string, StandIn> {
  const registries = new Set<string>();
  return {
    'actions/checkout': checkout,
    'docker/setup-buildx-action': async () => ({ name: 'builder', driver: 'docker-container' }),
    'docker/login-action': async ({ inputs, log }) => {
      const { registry = 'docker.io', username, password } = inputs;
      if (!username || !password) throw new Error('Username and password required');
      registries.add(registry);
      log(`Login Succeeded! (${registry})`);
      return {};
    },
    'docker/build-push-action': async (call) => {
      const image = build(call);
      if (call.inputs.push === 'true') {
        for (const tag of image.tags) {
          const registry = registryOf(tag);
          if (!registries.has(registry)) throw new Error(`failed to push ${tag}: denied: log in to ${registry} first`);
        }
        onPush(image);
      }
      return { digest: image.digest, imageid: image.digest, metadata: JSON.stringify({ 'containerimage.digest': image.digest }) };
    },
  };
}

/** Fetches the commit of the run from the repository's own git directory: depth 1 without tags unless asked, as actions/checkout does. */
async function checkout({ inputs, workspace, repository, ref, sha, log, signal }: StandInCall): Promise<Record<string, string>> {
  if (inputs.repository && inputs.repository !== repository.name) throw new Error(`this stand-in checks out ${repository.name} only`);
  const directory = resolve(workspace, inputs.path ?? '.');
  const options = { signal, env: gitEnvironment(workspace) };
  const git = (...args: string[]) => run('git', ['-C', directory, ...args], options);
  await run('git', ['init', '--quiet', directory], options);
  await git('remote', 'add', 'origin', pathToFileURL(repository.directory).href);
  const wanted = inputs.ref || ref;
  const whole = inputs['fetch-depth'] === '0';
  const refs = whole ? ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'] : [];
  const target = wanted.startsWith('refs/tags/') ? `+${wanted}:${wanted}` : wanted;
  await git('fetch', '--quiet', ...(whole ? [] : [`--depth=${inputs['fetch-depth'] ?? 1}`, '--no-tags']), 'origin', ...refs, target);
  const commit = inputs.ref ? 'FETCH_HEAD' : sha;
  await git('-c', 'advice.detachedHead=false', 'checkout', '--quiet', '--detach', commit);
  log(`${wanted} is checked out at ${sha}`);
  return { ref: wanted, commit: sha };
}

function build({ inputs, workspace, sha, log }: StandInCall): PushedImage {
  // Without a path context the action builds from the repository by git; the Dockerfile then comes from the commit, not the workspace.
  const context = resolve(workspace, inputs.context || '.');
  const dockerfile = inputs.file ? resolve(workspace, inputs.file) : join(context, 'Dockerfile');
  if (!existsSync(dockerfile)) throw new Error(`failed to read dockerfile: open ${inputs.file || 'Dockerfile'}: no such file or directory`);
  const tags = (inputs.tags ?? '')
    .split(/[\n,]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  if (tags.length === 0 && inputs.push === 'true') throw new Error('tag is needed when pushing to registry');
  const digest = `sha256:${createHash('sha256').update(readFileSync(dockerfile)).update(sha).digest('hex')}`;
  log(`exporting manifest ${digest}`);
  return { tags, digest };
}

/** `ghcr.io` of `ghcr.io/a/b:1`; a first part without dot, colon or `localhost` is a name on Docker Hub. */
function registryOf(tag: string): string {
  const [first = ''] = tag.split('/');
  return tag.includes('/') && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
}
