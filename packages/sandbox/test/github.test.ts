import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../src/index.js';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ repository: 'acme/shop' });
});
afterAll(() => sandbox.stop());

// biome-ignore lint/suspicious/noExplicitAny: answers of many kinds
type Answer = { status: number; body: any; headers: Headers };

async function call(method: string, path: string, body?: unknown, token = sandbox.githubToken): Promise<Answer> {
  const init = { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } };
  const url = path.startsWith('http') ? path : `${sandbox.githubUrl}/repos/acme/shop${path}`;
  const answer = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : undefined, headers: answer.headers };
}

describe('releases', () => {
  it('are made once for a tag, with the tag, and found by tag and as latest', async () => {
    const made = await call('POST', '/releases', { tag_name: 'v1.0.0', name: 'One', body: 'Notes' });
    expect(made.status).toBe(201);
    expect(sandbox.github.refs.get('tags/v1.0.0')).toBe(sandbox.github.refs.get('heads/main'));
    const again = await call('POST', '/releases', { tag_name: 'v1.0.0' });
    expect(again.status).toBe(422);
    expect(again.body).toMatchObject({
      message: 'Validation Failed',
      errors: [{ resource: 'Release', code: 'already_exists', field: 'tag_name' }],
    });
    await call('POST', '/releases', { tag_name: 'v1.1.0-rc.1', prerelease: true });
    expect((await call('GET', '/releases/latest')).body.tag_name).toBe('v1.0.0');
    expect((await call('GET', '/releases/tags/v1.1.0-rc.1')).body.prerelease).toBe(true);
    const edited = await call('PATCH', `/releases/${made.body.id}`, { body: 'Better notes' });
    expect(edited.body).toMatchObject({ name: 'One', body: 'Better notes' });
    expect((await call('GET', '/releases')).body.map((one: { tag_name: string }) => one.tag_name)).toEqual(['v1.1.0-rc.1', 'v1.0.0']);
    expect((await call('GET', '/releases/tags/v9')).status).toBe(404);
  });

  it('drafts become public, and only then take their tag', async () => {
    const draft = await call('POST', '/releases', { tag_name: 'v2.0.0', draft: true });
    expect(sandbox.github.refs.has('tags/v2.0.0')).toBe(false);
    expect((await call('GET', '/releases/tags/v2.0.0')).status).toBe(404);
    await call('PATCH', `/releases/${draft.body.id}`, { draft: false });
    expect(sandbox.github.refs.has('tags/v2.0.0')).toBe(true);
    expect((await call('GET', '/releases/latest')).body.tag_name).toBe('v2.0.0');
  });

  it('carry assets, each name once', async () => {
    const { body: release } = await call('POST', '/releases', { tag_name: 'v3.0.0' });
    const url = release.upload_url.replace('{?name,label}', '?name=a.txt');
    const upload = () =>
      fetch(url, {
        method: 'POST',
        headers: { authorization: `token ${sandbox.githubToken}`, 'content-type': 'text/plain' },
        body: 'content',
      });
    expect((await upload()).status).toBe(201);
    expect((await upload()).status).toBe(422);
    const [asset] = (await call('GET', `/releases/${release.id}`)).body.assets;
    expect(asset).toMatchObject({ name: 'a.txt', size: 7 });
    const download = await fetch(asset.url, {
      headers: { authorization: `token ${sandbox.githubToken}`, accept: 'application/octet-stream' },
    });
    expect(await download.text()).toBe('content');
  });
});

describe('refs', () => {
  it('are created once and moved only forward, unless forced', async () => {
    const { github } = sandbox;
    const first = github.commit('first', 'topic');
    const second = github.commit('second', 'topic');
    const created = await call('POST', '/git/refs', { ref: 'refs/slipway/lock', sha: first });
    expect(created.body).toEqual({ ref: 'refs/slipway/lock', object: { sha: first, type: 'commit' } });
    expect((await call('POST', '/git/refs', { ref: 'refs/slipway/lock', sha: second })).body.message).toBe('Reference already exists');
    expect((await call('PATCH', '/git/refs/slipway/lock', { sha: second })).status).toBe(200);
    const back = await call('PATCH', '/git/refs/slipway/lock', { sha: first });
    expect([back.status, back.body.message]).toEqual([422, 'Update is not a fast forward']);
    expect((await call('PATCH', '/git/refs/slipway/lock', { sha: first, force: true })).status).toBe(200);
    expect((await call('POST', '/git/refs', { ref: 'refs/tags/x', sha: '0'.repeat(40) })).body.message).toBe('Object does not exist');
    expect((await call('DELETE', '/git/refs/slipway/lock')).status).toBe(204);
    expect((await call('GET', '/git/ref/slipway/lock')).status).toBe(404);
  });
});

describe('deployments, checks, statuses, issues', () => {
  it('a successful deployment retires the one before', async () => {
    const one = await call('POST', '/deployments', { ref: 'main', environment: 'production' });
    await call('POST', `/deployments/${one.body.id}/statuses`, { state: 'success' });
    const two = await call('POST', '/deployments', { ref: 'main', environment: 'production' });
    await call('POST', `/deployments/${two.body.id}/statuses`, { state: 'success', environment_url: 'https://shop.example' });
    expect((await call('GET', `/deployments/${one.body.id}/statuses`)).body[0].state).toBe('inactive');
    expect((await call('GET', '/deployments?environment=production')).body).toHaveLength(2);
    expect((await call('POST', '/deployments', { ref: 'nope' })).body.message).toBe('No ref found for: nope');
    expect((await call('POST', `/deployments/${two.body.id}/statuses`, { state: 'great' })).status).toBe(422);
  });

  it('check runs complete with a conclusion', async () => {
    const head_sha = sandbox.github.refs.get('heads/main') as string;
    const run = await call('POST', '/check-runs', { name: 'canary', head_sha, status: 'in_progress' });
    expect((await call('PATCH', `/check-runs/${run.body.id}`, { status: 'completed' })).status).toBe(422);
    expect((await call('PATCH', `/check-runs/${run.body.id}`, { conclusion: 'success' })).body.status).toBe('completed');
    expect((await call('GET', '/commits/main/check-runs')).body.total_count).toBe(1);
    await call('POST', `/statuses/${head_sha}`, { state: 'failure', context: 'slipway' });
    await call('POST', `/statuses/${head_sha}`, { state: 'success', context: 'slipway' });
    expect((await call('GET', '/commits/main/status')).body).toMatchObject({ state: 'success', total_count: 1 });
  });

  it('issues take labels and comments', async () => {
    const issue = await call('POST', '/issues', { title: 'Rolled back', labels: ['incident'] });
    const comment = await call('POST', `/issues/${issue.body.number}/comments`, { body: 'why' });
    await call('PATCH', `/issues/comments/${comment.body.id}`, { body: 'because' });
    expect((await call('GET', `/issues/${issue.body.number}/comments`)).body[0].body).toBe('because');
    await call('PATCH', `/issues/${issue.body.number}`, { state: 'closed' });
    expect((await call('GET', '/issues?labels=incident')).body).toEqual([]);
    expect((await call('GET', '/issues?labels=incident&state=all')).body).toHaveLength(1);
  });
});

describe('the API', () => {
  it('checks the token and what it may do', async () => {
    expect((await call('GET', '', undefined, 'wrong')).status).toBe(401);
    sandbox.github.addToken('reader', { contents: 'read' });
    expect((await call('GET', '/releases', undefined, 'reader')).status).toBe(200);
    const refused = await call('POST', '/releases', { tag_name: 'v4' }, 'reader');
    expect([refused.status, refused.body.message]).toEqual([403, 'Resource not accessible by integration']);
    expect((await call('GET', `${sandbox.githubUrl}/repos/other/repo`)).status).toBe(404);
  });

  it('pages with Link headers', async () => {
    for (let i = 0; i < 3; i++) await call('POST', '/issues', { title: `n${i}`, labels: ['page'] });
    const first = await call('GET', '/issues?labels=page&per_page=2');
    expect(first.body).toHaveLength(2);
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] as string;
    expect((await call('GET', next)).body).toHaveLength(1);
  });

  it('records every write, done or refused, and does harm when asked', async () => {
    const before = sandbox.github.writes.length;
    sandbox.githubFaults.add({ method: 'POST', path: '/releases$', action: 'status', code: 502 });
    expect((await call('POST', '/releases', { tag_name: 'v5' })).status).toBe(502);
    expect((await call('POST', '/releases', { tag_name: 'v5' })).status).toBe(201);
    expect((await call('POST', '/releases', { tag_name: 'v5' })).status).toBe(422);
    expect(sandbox.github.writes.slice(before).map(({ path, status }) => [path, status])).toEqual([
      ['/repos/acme/shop/releases', 201],
      ['/repos/acme/shop/releases', 422],
    ]);
  });
});
