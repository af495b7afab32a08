import { createHash } from 'node:crypto';
import { GitHubError, notFound, requiredText } from './github-error.js';
import type { GitHubWorld } from './github-world.js';
import type { Call, Reply, Route } from './route.js';

const name = /^(heads|tags|slipway|notes|[a-z][\w-]*)\/[^\s~^:?*[\\\0]+$/;

/** Repository, commits, refs and tags. Updates of a ref are compare-and-swap by fast-forward, as on GitHub. */
export const refRoutes: readonly Route[] = [
  { method: 'GET', path: '', permission: 'metadata', handle: showRepository },
  {
    method: 'GET',
    path: '/git/ref/*ref',
    permission: 'contents',
    handle: ({ world, params }) => ({ status: 200, body: showRef(world, params.ref ?? '') }),
  },
  { method: 'GET', path: '/git/matching-refs/*ref', permission: 'contents', handle: matchingRefs },
  { method: 'POST', path: '/git/refs', permission: 'contents', handle: createRef },
  { method: 'PATCH', path: '/git/refs/*ref', permission: 'contents', handle: updateRef },
  { method: 'DELETE', path: '/git/refs/*ref', permission: 'contents', handle: deleteRef },
  { method: 'POST', path: '/git/tags', permission: 'contents', handle: createTagObject },
  { method: 'GET', path: '/git/tags/:sha', permission: 'contents', handle: showTagObject },
  { method: 'GET', path: '/tags', permission: 'contents', handle: listTags },
  { method: 'GET', path: '/commits/*ref', permission: 'contents', handle: showCommit },
];

function showRepository({ world, base }: Call): Reply {
  const { owner, name: repo, repository } = world;
  const body = {
    id: 1,
    name: repo,
    full_name: repository,
    owner: { login: owner },
    private: false,
    default_branch: 'main',
    url: `${base}/repos/${repository}`,
  };
  return { status: 200, body };
}

function showRef(world: GitHubWorld, ref: string): object {
  const sha = world.refs.get(ref);
  if (!sha) throw notFound();
  return { ref: `refs/${ref}`, object: { sha, type: world.tagObjects.has(sha) ? 'tag' : 'commit' } };
}

function matchingRefs({ world, params }: Call): Reply {
  const found = [...world.refs.keys()].filter((ref) => ref.startsWith(params.ref ?? '')).sort();
  return { status: 200, list: found.map((ref) => showRef(world, ref)) };
}

function knownObject(world: GitHubWorld, sha: string): string {
  if (!world.commits.has(sha) && !world.tagObjects.has(sha)) throw new GitHubError(422, 'Object does not exist');
  return sha;
}

function createRef({ world, body }: Call): Reply {
  const full = requiredText(body, 'ref', 'Reference');
  const sha = requiredText(body, 'sha', 'Reference');
  const ref = full.replace(/^refs\//, '');
  if (!full.startsWith('refs/') || !name.test(ref)) throw new GitHubError(422, `${full} is not a valid ref name.`);
  if (world.refs.has(ref)) throw new GitHubError(422, 'Reference already exists');
  world.refs.set(ref, knownObject(world, sha));
  return { status: 201, body: showRef(world, ref) };
}

function updateRef({ world, params, body }: Call): Reply {
  const ref = params.ref ?? '';
  const current = world.refs.get(ref);
  if (!current) throw new GitHubError(422, 'Reference does not exist');
  const sha = knownObject(world, requiredText(body, 'sha', 'Reference'));
  if (body.force !== true && !world.isAncestor(current, sha)) throw new GitHubError(422, 'Update is not a fast forward');
  world.refs.set(ref, sha);
  return { status: 200, body: showRef(world, ref) };
}

function deleteRef({ world, params }: Call): Reply {
  if (!world.refs.delete(params.ref ?? '')) throw new GitHubError(422, 'Reference does not exist');
  return { status: 204 };
}

function createTagObject({ world, body }: Call): Reply {
  const tag = requiredText(body, 'tag', 'Tag');
  const object = knownObject(world, requiredText(body, 'object', 'Tag'));
  const message = requiredText(body, 'message', 'Tag');
  const sha = createHash('sha1').update(`tag ${tag} ${object} ${message}`).digest('hex');
  const made = { sha, tag, message, object: { sha: object, type: 'commit' } };
  world.tagObjects.set(sha, made);
  return { status: 201, body: made };
}

function showTagObject({ world, params }: Call): Reply {
  const found = world.tagObjects.get(params.sha ?? '');
  if (!found) throw notFound();
  return { status: 200, body: found };
}

function listTags({ world }: Call): Reply {
  const tags = [...world.refs.keys()]
    .filter((ref) => ref.startsWith('tags/'))
    .sort()
    .reverse();
  return { status: 200, list: tags.map((ref) => ({ name: ref.slice(5), commit: { sha: world.resolve(ref) } })) };
}

function showCommit({ world, params }: Call): Reply {
  const sha = world.resolve(params.ref ?? '');
  const commit = sha && world.commits.get(sha);
  if (!commit) throw new GitHubError(422, `No commit found for SHA: ${params.ref}`);
  const { message, parents, date } = commit;
  return { status: 200, body: { sha, commit: { message, committer: { date } }, parents: parents.map((parent) => ({ sha: parent })) } };
}
