import { notFound, requiredText, validationFailed } from './github-error.js';
import { type GitHubWorld, now, type Resource } from './github-world.js';
import { type Call, pick, type Reply, type Route } from './route.js';

/** Releases and their assets. */
export const releaseRoutes: readonly Route[] = [
  { method: 'GET', path: '/releases', permission: 'contents', handle: listReleases },
  { method: 'POST', path: '/releases', permission: 'contents', handle: createRelease },
  { method: 'GET', path: '/releases/latest', permission: 'contents', handle: latestRelease },
  { method: 'GET', path: '/releases/tags/*tag', permission: 'contents', handle: releaseByTag },
  { method: 'GET', path: '/releases/assets/:id', permission: 'contents', handle: showAsset },
  { method: 'DELETE', path: '/releases/assets/:id', permission: 'contents', handle: deleteAsset },
  { method: 'GET', path: '/releases/:id', permission: 'contents', handle: (call) => ({ status: 200, body: show(call, byId(call)) }) },
  { method: 'PATCH', path: '/releases/:id', permission: 'contents', handle: updateRelease },
  { method: 'DELETE', path: '/releases/:id', permission: 'contents', handle: deleteRelease },
  {
    method: 'GET',
    path: '/releases/:id/assets',
    permission: 'contents',
    handle: (call) => ({ status: 200, list: assetsOf(call.world, byId(call)) }),
  },
  { method: 'POST', path: '/releases/:id/assets', permission: 'contents', handle: uploadAsset },
];

const fields = ['name', 'body', 'draft', 'prerelease'] as const;

function byId({ world, params }: Call): Resource {
  return world.find('releases', Number(params.id));
}

function show({ world, base }: Call, release: Resource): object {
  const url = `${base}/repos/${world.repository}/releases/${release.id}`;
  return {
    ...release,
    url,
    html_url: `https://github.com/${world.repository}/releases/tag/${release.tag_name}`,
    upload_url: `${base}/uploads/repos/${world.repository}/releases/${release.id}/assets{?name,label}`,
    assets: assetsOf(world, release),
  };
}

function listReleases(call: Call): Reply {
  return { status: 200, list: [...call.world.list('releases')].reverse().map((release) => show(call, release)) };
}

function createRelease(call: Call): Reply {
  const { world, body } = call;
  const tag = requiredText(body, 'tag_name', 'Release');
  if (isTaken(world, tag)) throw validationFailed({ resource: 'Release', code: 'already_exists', field: 'tag_name' });
  const target = typeof body.target_commitish === 'string' ? body.target_commitish : 'main';
  const isDraft = body.draft === true;
  if (!isDraft) ensureTag(world, tag, target);
  const release = world.add('releases', {
    tag_name: tag,
    target_commitish: target,
    name: tag,
    body: '',
    draft: false,
    prerelease: false,
    ...pick(body, fields),
    published_at: isDraft ? null : now(),
  });
  chooseLatest(world, release, body.make_latest);
  return { status: 201, body: show(call, release) };
}

/** A published release of the tag exists. Drafts may share a tag. */
function isTaken(world: GitHubWorld, tag: string, except?: Resource): boolean {
  return world.list('releases').some((release) => release !== except && release.tag_name === tag && release.draft !== true);
}

/** Publishing makes the tag when it is not there. */
function ensureTag(world: GitHubWorld, tag: string, target: string): void {
  if (world.refs.has(`tags/${tag}`)) return;
  const sha = world.resolve(target);
  if (!sha) throw validationFailed({ resource: 'Release', code: 'invalid', field: 'target_commitish' });
  world.refs.set(`tags/${tag}`, sha);
}

/** `make_latest`: `true` (default for published full releases), `false`, `legacy`. */
function chooseLatest(world: GitHubWorld, release: Resource, choice: unknown): void {
  if (release.draft || release.prerelease || choice === 'false') return;
  for (const other of world.list('releases')) delete other.latest;
  release.latest = true;
}

function latestRelease(call: Call): Reply {
  const full = call.world.list('releases').filter((release) => !release.draft && !release.prerelease);
  const latest = full.find((release) => release.latest) ?? full.at(-1);
  if (!latest) throw notFound();
  return { status: 200, body: show(call, latest) };
}

function releaseByTag(call: Call): Reply {
  const found = call.world.list('releases').find((release) => release.tag_name === call.params.tag && !release.draft);
  if (!found) throw notFound();
  return { status: 200, body: show(call, found) };
}

function updateRelease(call: Call): Reply {
  const { world, body } = call;
  const release = byId(call);
  const tag = typeof body.tag_name === 'string' ? body.tag_name : (release.tag_name as string);
  const publishes = release.draft === true && body.draft === false;
  if ((publishes || tag !== release.tag_name) && isTaken(world, tag, release)) {
    throw validationFailed({ resource: 'Release', code: 'already_exists', field: 'tag_name' });
  }
  if (publishes) ensureTag(world, tag, String(body.target_commitish ?? release.target_commitish));
  Object.assign(release, pick(body, [...fields, 'target_commitish']), { tag_name: tag, updated_at: now() });
  if (publishes) release.published_at = now();
  if (publishes || body.make_latest !== undefined) chooseLatest(world, release, body.make_latest);
  return { status: 200, body: show(call, release) };
}

function deleteRelease(call: Call): Reply {
  call.world.remove('releases', byId(call).id);
  return { status: 204 };
}

function assetsOf(world: GitHubWorld, release: Resource): Resource[] {
  return world.list('assets').filter((asset) => asset.release_id === release.id);
}

function uploadAsset(call: Call): Reply {
  const { world, query, raw, base } = call;
  const release = byId(call);
  const name = query.get('name');
  if (!name) throw validationFailed({ resource: 'ReleaseAsset', code: 'missing_field', field: 'name' });
  if (assetsOf(world, release).some((asset) => asset.name === name)) {
    throw validationFailed({ resource: 'ReleaseAsset', code: 'already_exists', field: 'name' });
  }
  const asset = world.add('assets', { release_id: release.id, name, label: query.get('label'), size: raw.length, state: 'uploaded' });
  asset.url = `${base}/repos/${world.repository}/releases/assets/${asset.id}`;
  asset.browser_download_url = asset.url;
  world.assetContent.set(asset.id, raw);
  return { status: 201, body: asset };
}

function showAsset({ world, params, accept }: Call): Reply {
  const asset = world.find('assets', Number(params.id));
  const content = world.assetContent.get(asset.id);
  if (accept.includes('application/octet-stream') && content) return { status: 200, content };
  return { status: 200, body: asset };
}

function deleteAsset({ world, params }: Call): Reply {
  world.remove('assets', Number(params.id));
  return { status: 204 };
}
