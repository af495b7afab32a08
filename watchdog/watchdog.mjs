// Sends users back when the run that moves them has died, and nobody else does. It is run in the cluster, every minute, by the CronJob in
// docs/rbac/watchdog.yaml; what it sends is the patch that the rollout has written down beforehand, and nothing else.
//
// A run that lives writes the rollout's state (with every window of an analysis) or renews its Lease (every 15 s). When neither changes for
// QUIET_SECONDS, by this process's own clock, while users meet the canary and nobody has paused the rollout, the run is taken for dead.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const { NAMESPACE, WORKLOAD, API_SERVER = 'https://kubernetes.default.svc', QUIET_SECONDS = '90' } = process.env;
const tokenFile = process.env.TOKEN_FILE ?? '/var/run/secrets/kubernetes.io/serviceaccount/token';
const name = `slipway-${WORKLOAD}`;
const configMap = `/api/v1/namespaces/${NAMESPACE}/configmaps/${name}`;
const lease = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${name}`;
const patchTypes = { json: 'application/json-patch+json', merge: 'application/merge-patch+json' };
const EVERY_MS = 5_000;

async function ask(path, method = 'GET', contentType = undefined, body = undefined) {
  const response = await fetch(`${API_SERVER}${path}`, {
    method,
    headers: { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`, ...(contentType ? { 'content-type': contentType } : {}) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer.message ?? ''}`);
  return answer;
}

/** The rollout, if users meet its canary and it is meant to go on by itself. */
function guarded(object) {
  const state = JSON.parse(object?.data?.['state.json'] ?? 'null');
  const forward = state?.phase === 'starting' || state?.phase === 'progressing';
  return state?.schema === 1 && forward && !state.paused && state.wayOut?.length > 0 ? state : undefined;
}

async function sendBack(object, state) {
  for (const { resource, namespace, name: target, patch, words } of state.wayOut) {
    if (namespace !== NAMESPACE) throw new Error(`the state names an object in ${namespace}`);
    const root = resource.group === '' ? '/api/v1' : `/apis/${resource.group}/${resource.version}`;
    await ask(`${root}/namespaces/${namespace}/${resource.plural}/${target}`, 'PATCH', patchTypes[patch.type], patch.body);
    console.log(`${words}: done`);
  }
  const at = new Date().toISOString();
  const ended = { reason: 'RUNNER_LOST', summary: `The run that moved users was silent for ${QUIET_SECONDS} s; the watchdog sent them back.` };
  const next = {
    ...state,
    phase: 'aborting',
    ended,
    stepStartedAt: null,
    generation: state.generation + 1,
    log: [...state.log, { at, what: 'back: RUNNER_LOST' }].slice(-50),
  };
  // On the condition that nobody wrote meanwhile. Users are safe either way; whoever wrote sees the route.
  const body = { metadata: { resourceVersion: object.metadata.resourceVersion }, data: { 'state.json': JSON.stringify(next) } };
  await ask(configMap, 'PATCH', patchTypes.merge, body);
  console.log(`${state.id}: ${ended.summary} The next command of Slipway puts away the canary.`);
}

async function watch() {
  let seen = '';
  let since = performance.now();
  for (;;) {
    const object = await ask(configMap);
    const state = guarded(object);
    if (!state) return console.log('nothing to guard');
    const version = `${object.metadata.resourceVersion} ${(await ask(lease))?.metadata?.resourceVersion ?? ''}`;
    if (version !== seen) since = performance.now();
    seen = version;
    if (performance.now() - since >= Number(QUIET_SECONDS) * 1000) return sendBack(object, state);
    await sleep(EVERY_MS);
  }
}

await watch();
