import { GitHubError, oneOf, requiredText, validationFailed } from './github-error.js';
import { type GitHubWorld, now } from './github-world.js';
import { type Call, pick, type Reply, type Route } from './route.js';

const conclusions = ['action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'stale', 'timed_out'];
const fields = ['name', 'details_url', 'external_id', 'started_at', 'completed_at', 'output', 'actions'];

/** Check runs and commit statuses. */
export const checkRoutes: readonly Route[] = [
  { method: 'POST', path: '/check-runs', permission: 'checks', handle: createCheckRun },
  {
    method: 'GET',
    path: '/check-runs/:id',
    permission: 'checks',
    handle: ({ world, params }) => ({ status: 200, body: world.find('check-runs', Number(params.id)) }),
  },
  { method: 'PATCH', path: '/check-runs/:id', permission: 'checks', handle: updateCheckRun },
  { method: 'GET', path: '/commits/:ref/check-runs', permission: 'checks', handle: listCheckRuns },
  { method: 'POST', path: '/statuses/:sha', permission: 'statuses', handle: createStatus },
  {
    method: 'GET',
    path: '/commits/:ref/statuses',
    permission: 'statuses',
    handle: ({ world, params }) => ({ status: 200, list: statusesOf(world, params.ref ?? '') }),
  },
  { method: 'GET', path: '/commits/:ref/status', permission: 'statuses', handle: combinedStatus },
];

/** A conclusion completes a run, and a completed run needs one. */
function state(body: Record<string, unknown>, before: Record<string, unknown> = {}): Record<string, unknown> {
  const conclusion = body.conclusion === undefined ? before.conclusion : oneOf(body.conclusion, conclusions, 'conclusion', 'CheckRun');
  const asked = body.conclusion === undefined ? (body.status ?? before.status ?? 'queued') : 'completed';
  const status = oneOf(asked, ['queued', 'in_progress', 'completed', 'waiting', 'requested', 'pending'], 'status', 'CheckRun');
  if (status === 'completed' && !conclusion) throw validationFailed({ resource: 'CheckRun', code: 'missing_field', field: 'conclusion' });
  return { status, conclusion: conclusion ?? null, ...(status === 'completed' && !body.completed_at ? { completed_at: now() } : {}) };
}

function createCheckRun({ world, body }: Call): Reply {
  requiredText(body, 'name', 'CheckRun');
  const sha = requiredText(body, 'head_sha', 'CheckRun');
  if (!world.commits.has(sha)) throw new GitHubError(422, `No commit found for SHA: ${sha}`);
  const run = world.add('check-runs', {
    head_sha: sha,
    started_at: now(),
    completed_at: null,
    output: {},
    ...state(body),
    ...pick(body, fields),
  });
  return { status: 201, body: run };
}

function updateCheckRun({ world, params, body }: Call): Reply {
  const run = world.find('check-runs', Number(params.id));
  Object.assign(run, state(body, run), pick(body, fields));
  return { status: 200, body: run };
}

function listCheckRuns({ world, params }: Call): Reply {
  const sha = world.resolve(params.ref ?? '');
  const runs = world.list('check-runs').filter((run) => run.head_sha === sha);
  return { status: 200, body: { total_count: runs.length, check_runs: runs } };
}

function createStatus({ world, params, body }: Call): Reply {
  const { sha = '' } = params;
  if (!world.commits.has(sha)) throw new GitHubError(422, `No commit found for SHA: ${sha}`);
  const to = oneOf(body.state, ['error', 'failure', 'pending', 'success'], 'state', 'Status');
  const optional = pick(body, ['context', 'description', 'target_url']);
  return {
    status: 201,
    body: world.add('commit-statuses', { sha, state: to, context: 'default', description: null, target_url: null, ...optional }),
  };
}

/** Newest first. */
function statusesOf(world: GitHubWorld, ref: string) {
  const sha = world.resolve(ref);
  return world
    .list('commit-statuses')
    .filter((status) => status.sha === sha)
    .reverse();
}

function combinedStatus({ world, params }: Call): Reply {
  const newest = new Map(
    statusesOf(world, params.ref ?? '')
      .reverse()
      .map((status) => [status.context, status]),
  );
  const statuses = [...newest.values()];
  const states = statuses.map((status) => status.state);
  const combined = states.some((one) => one === 'failure' || one === 'error')
    ? 'failure'
    : states.length === 0 || states.includes('pending')
      ? 'pending'
      : 'success';
  return { status: 200, body: { sha: world.resolve(params.ref ?? ''), state: combined, statuses, total_count: statuses.length } };
}
