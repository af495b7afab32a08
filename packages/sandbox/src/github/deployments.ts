import { GitHubError, oneOf, requiredText } from './github-error.js';
import type { GitHubWorld, Resource } from './github-world.js';
import { type Call, pick, type Reply, type Route } from './route.js';

const states = ['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success'];

/** Deployments and their statuses. */
export const deploymentRoutes: readonly Route[] = [
  { method: 'GET', path: '/deployments', permission: 'deployments', handle: listDeployments },
  { method: 'POST', path: '/deployments', permission: 'deployments', handle: createDeployment },
  {
    method: 'GET',
    path: '/deployments/:id',
    permission: 'deployments',
    handle: ({ world, params }) => ({ status: 200, body: world.find('deployments', Number(params.id)) }),
  },
  { method: 'GET', path: '/deployments/:id/statuses', permission: 'deployments', handle: listStatuses },
  { method: 'POST', path: '/deployments/:id/statuses', permission: 'deployments', handle: createStatus },
];

function listDeployments({ world, query }: Call): Reply {
  const filters = ['sha', 'ref', 'task', 'environment'].filter((field) => query.has(field));
  const found = world.list('deployments').filter((one) => filters.every((field) => one[field] === query.get(field)));
  return { status: 200, list: [...found].reverse() };
}

function createDeployment({ world, body, base }: Call): Reply {
  const ref = requiredText(body, 'ref', 'Deployment');
  const sha = world.resolve(ref);
  if (!sha) throw new GitHubError(422, `No ref found for: ${ref}`);
  const deployment = world.add('deployments', {
    sha,
    ref,
    task: 'deploy',
    environment: 'production',
    payload: {},
    description: null,
    transient_environment: false,
    production_environment: (body.environment ?? 'production') === 'production',
    ...pick(body, ['task', 'environment', 'payload', 'description', 'transient_environment', 'production_environment']),
  });
  deployment.statuses_url = `${base}/repos/${world.repository}/deployments/${deployment.id}/statuses`;
  return { status: 201, body: deployment };
}

function statusesOf(world: GitHubWorld, deployment: Resource): Resource[] {
  return world.list('deployment-statuses').filter((status) => status.deployment_id === deployment.id);
}

function listStatuses({ world, params }: Call): Reply {
  return { status: 200, list: statusesOf(world, world.find('deployments', Number(params.id))).reverse() };
}

function createStatus({ world, params, body }: Call): Reply {
  const deployment = world.find('deployments', Number(params.id));
  const state = oneOf(body.state, states, 'state', 'DeploymentStatus');
  const environment = body.environment ?? deployment.environment;
  const optional = pick(body, ['description', 'log_url', 'target_url', 'environment_url']);
  const status = world.add('deployment-statuses', {
    deployment_id: deployment.id,
    state,
    environment,
    description: '',
    log_url: '',
    ...optional,
  });
  if (state === 'success' && body.auto_inactive !== false) retireOthers(world, deployment);
  return { status: 201, body: status };
}

/** A success makes earlier ones of the same environment inactive. */
function retireOthers(world: GitHubWorld, current: Resource): void {
  for (const other of world.list('deployments')) {
    if (other === current || other.environment !== current.environment) continue;
    if (statusesOf(world, other).at(-1)?.state !== 'success') continue;
    world.add('deployment-statuses', {
      deployment_id: other.id,
      state: 'inactive',
      environment: other.environment,
      description: '',
      log_url: '',
    });
  }
}
