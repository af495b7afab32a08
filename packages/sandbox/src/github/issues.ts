import { notFound, oneOf, requiredText } from './github-error.js';
import { type GitHubWorld, now, type Resource } from './github-world.js';
import { type Call, pick, type Reply, type Route } from './route.js';

/** Issues and comments; pull requests share their comments. */
export const issueRoutes: readonly Route[] = [
  { method: 'GET', path: '/issues', permission: 'issues', handle: listIssues },
  { method: 'POST', path: '/issues', permission: 'issues', handle: createIssue },
  { method: 'PATCH', path: '/issues/comments/:id', permission: 'issues', handle: updateComment },
  { method: 'DELETE', path: '/issues/comments/:id', permission: 'issues', handle: deleteComment },
  { method: 'GET', path: '/issues/:number', permission: 'issues', handle: (call) => ({ status: 200, body: byNumber(call) }) },
  { method: 'PATCH', path: '/issues/:number', permission: 'issues', handle: updateIssue },
  {
    method: 'GET',
    path: '/issues/:number/comments',
    permission: 'issues',
    handle: (call) => ({ status: 200, list: commentsOf(call.world, byNumber(call)) }),
  },
  { method: 'POST', path: '/issues/:number/comments', permission: 'issues', handle: createComment },
];

function byNumber({ world, params }: Call): Resource {
  const found = world.list('issues').find((issue) => issue.number === Number(params.number));
  if (!found) throw notFound();
  return found;
}

function labelNames(labels: unknown): { name: string }[] {
  const list = Array.isArray(labels) ? labels : [];
  return list.map((label) => ({ name: typeof label === 'string' ? label : String((label as { name?: unknown })?.name) }));
}

function listIssues({ world, query }: Call): Reply {
  const state = query.get('state') ?? 'open';
  const labels = (query.get('labels') ?? '').split(',').filter(Boolean);
  const has = (issue: Resource, name: string) => (issue.labels as { name: string }[]).some((label) => label.name === name);
  const found = world
    .list('issues')
    .filter((issue) => (state === 'all' || issue.state === state) && labels.every((name) => has(issue, name)));
  return { status: 200, list: [...found].reverse() };
}

function createIssue({ world, body, base }: Call): Reply {
  const title = requiredText(body, 'title', 'Issue');
  const number = world.list('issues').length + 1;
  const url = `${base}/repos/${world.repository}/issues/${number}`;
  const issue = world.add('issues', {
    number,
    url,
    title,
    state: 'open',
    body: body.body ?? null,
    labels: labelNames(body.labels),
    assignees: [],
    comments: 0,
  });
  return { status: 201, body: issue };
}

function updateIssue(call: Call): Reply {
  const { body } = call;
  const issue = byNumber(call);
  if (body.state !== undefined) issue.state = oneOf(body.state, ['open', 'closed'], 'state', 'Issue');
  if (body.labels !== undefined) issue.labels = labelNames(body.labels);
  Object.assign(issue, pick(body, ['title', 'body', 'state_reason']), { updated_at: now() });
  return { status: 200, body: issue };
}

function commentsOf(world: GitHubWorld, issue: Resource): Resource[] {
  return world.list('comments').filter((comment) => comment.issue_number === issue.number);
}

function createComment(call: Call): Reply {
  const issue = byNumber(call);
  const body = requiredText(call.body, 'body', 'IssueComment');
  issue.comments = Number(issue.comments) + 1;
  return { status: 201, body: call.world.add('comments', { issue_number: issue.number, body, user: { login: 'github-actions[bot]' } }) };
}

function updateComment({ world, params, body }: Call): Reply {
  const comment = world.find('comments', Number(params.id));
  Object.assign(comment, { body: requiredText(body, 'body', 'IssueComment'), updated_at: now() });
  return { status: 200, body: comment };
}

function deleteComment({ world, params }: Call): Reply {
  world.remove('comments', Number(params.id));
  return { status: 204 };
}
