import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const input = (name) => (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
const { GITHUB_API_URL: api, GITHUB_REPOSITORY: repository, GITHUB_SHA: sha, GITHUB_OUTPUT: output = '' } = process.env;
const tag = input('tag');
const prerelease = input('prerelease') === 'true';

/** https://docs.github.com/rest/releases/releases#create-a-release */
const release = {
  tag_name: tag,
  target_commitish: sha,
  name: tag,
  body: readFileSync(input('notes-file'), 'utf8'),
  prerelease,
  // `legacy`: latest by version, so that a fix of an older line does not take the place.
  make_latest: prerelease ? 'false' : 'legacy',
};

/** One call of the API; busy and broken answers are tried three times. */
async function call(method, path, body, attempt = 1) {
  const headers = { authorization: `Bearer ${input('token')}`, accept: 'application/vnd.github+json', 'content-type': 'application/json' };
  const request = { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30_000) };
  const response = await fetch(`${api}/repos/${repository}/${path}`, request).catch((error) => ({ status: 0, error }));
  if ((response.status === 0 || response.status === 429 || response.status >= 500) && attempt < 3) {
    await sleep(attempt * 1_000);
    return call(method, path, body, attempt + 1);
  }
  const text = response.error
    ? String(response.error.cause?.code ?? response.error.cause?.message ?? response.error.name)
    : await response.text();
  return { status: response.status, text, json: response.status > 0 && response.status < 300 ? JSON.parse(text) : undefined };
}

async function createOrUpdate() {
  const created = await call('POST', 'releases', release);
  if (created.status !== 422 || !created.text.includes('already_exists')) return created;
  // A re-run, or a create whose answer was lost: the release is there and gets this text.
  const existing = await call('GET', `releases/tags/${encodeURIComponent(tag)}`);
  return existing.json ? call('PATCH', `releases/${existing.json.id}`, release) : existing;
}

const { status, text, json } = await createOrUpdate();
if (json) {
  const { href } = new URL(json.html_url);
  console.log(`Release ${tag}: ${href}`);
  appendFileSync(output, `url=${href}\n`);
} else {
  const why =
    status === 403 || status === 404 ? 'The job needs `permissions: contents: write`, and so does the one that calls the workflow.' : '';
  const what =
    status === 0
      ? `No answer from ${api} (GITHUB_API_URL) for ${tag}, three times: ${text}. Check the runner's network and proxy, then re-run this job.`
      : `GitHub answered ${status} for ${tag}: ${text.slice(0, 300).replaceAll(/\s+/g, ' ')} ${why}`;
  console.log(`::error title=No GitHub release::${what}`);
  process.exitCode = 1;
}
