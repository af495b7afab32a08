// Sends users back when the run that moves them has died, and nobody else does. It is run in the cluster, every minute, by the CronJob in
// docs/rbac/watchdog.yaml. What it sends are the patches that the rollout wrote down beforehand, and nothing else.
//
// A run that is at work writes the rollout's state (with every window of an analysis) or renews its Lease (every 15 s). When neither changes for
// QUIET_SECONDS of this process's own time, while users may meet the canary and nobody has paused the rollout, the run is taken for dead.
// Between two jobs (one waits for a runner, or a person for a reviewer) nobody writes; a rollout with which nobody goes on for REST_SECONDS is
// taken for forgotten. That is the rule of packages/rollout/src/reconcile.ts; test/acceptance/watchdog.test.ts puts the same states to both.
//
// It fails (exit code 1) whenever it could not do, or could not know, so that the Job is seen to have failed.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const { NAMESPACE, WORKLOAD, API_SERVER = 'https://kubernetes.default.svc' } = process.env;
const { QUIET_SECONDS = '90', REST_SECONDS = '1800', EVERY_SECONDS = '5' } = process.env;
const tokenFile = process.env.TOKEN_FILE ?? '/var/run/secrets/kubernetes.io/serviceaccount/token';
const name = `slipway-${WORKLOAD}`;
const configMap = `/api/v1/namespaces/${NAMESPACE}/configmaps/${name}`;
const lease = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${name}`;
const patchTypes = { json: 'application/json-patch+json', merge: 'application/merge-patch+json' };
const quietMs = Number(QUIET_SECONDS) * 1000;
const restMs = Number(REST_SECONDS) * 1000;
const everyMs = Number(EVERY_SECONDS) * 1000;

/** How often in a row the API server may fail before this process says so and ends. */
const FAILURES = 6;
const ATTEMPTS = 3;

class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

/** The answer; undefined: there is no such object. The token is read each time, because the kubelet renews it. */
async function ask(path, method = 'GET', contentType = undefined, body = undefined) {
  const response = await fetch(`${API_SERVER}${path}`, {
    method,
    headers: { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`, ...(contentType ? { 'content-type': contentType } : {}) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Refused(response.status, `${method} ${path}: ${response.status} ${answer.message ?? ''}`);
  return answer;
}

/** The rollout's state. Throws when it is there but cannot be relied upon. */
function stateOf(object) {
  const text = object?.data?.['state.json'];
  if (text === undefined) return undefined;
  let state;
  try {
    state = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} cannot be read, so nobody knows how to send users back: ${error.message}. Run \`abort\`.`);
  }
  if (state?.schema !== 1)
    throw new Error(`${name} has schema ${state?.schema}; this watchdog knows 1. Apply the newer docs/rbac/watchdog.yaml.`);
  return state;
}

/** At rest, or on a way that ends without moving users. */
const unguarded = ['none', 'promoting', 'promoted', 'aborted', 'undoing', 'undone'];

/** Why the rollout needs no watchdog; undefined: it does. */
function whyNot(state) {
  if (state === undefined) return 'there never was a rollout';
  const { phase, paused } = state;
  if (unguarded.includes(phase)) return `the rollout is ${phase}`;
  if (phase === 'aborting') return undefined;
  if (phase !== 'starting' && phase !== 'progressing')
    throw new Error(`${name} says the rollout is ${phase}, which it cannot be. Run \`abort\`.`);
  return paused ? `the rollout is paused by ${paused.by}` : undefined;
}

/** A step is being brought about, a command holds the Lease, or an analysis runs; false: the rollout rests between two jobs. */
function isAtWork({ stepStartedAt, evidence }, holder) {
  return Boolean(holder) || stepStartedAt === null || evidence?.running === true;
}

/** Whether users may meet the canary of a rollout that has no way out on record. */
function mayBeMet({ phase, weight, mirror, match, stepStartedAt, intent, target }) {
  if (phase === 'aborting' || !(weight > 0 || mirror > 0 || match)) return false;
  return stepStartedAt !== null || intent?.change === 'route' || (target?.traffic?.router === 'replicas' && intent !== null);
}

/** Fields that decide where requests go; the state could be edited by somebody who may not change the rest of these objects. */
const routes = {
  virtualservices: /^\/spec\/(http|tls|tcp)\//,
  httproutes: /^\/spec\/rules\//,
  services: /^\/spec\/selector(\/track)?$/,
  deployments: /^\/spec\/replicas$/,
};

function isOfRoute({ resource, namespace, patch }) {
  if (namespace !== NAMESPACE) return false;
  if (patch.type === 'json') {
    const kinds = ['add', 'replace', 'remove'];
    return patch.body.every(({ op, path }) => op === 'test' || (kinds.includes(op) && routes[resource.plural]?.test(path)));
  }
  const { annotations, ...others } = patch.body.metadata ?? {};
  const marks = Object.keys(annotations ?? {}).every(
    (key) => key.startsWith('nginx.ingress.kubernetes.io/canary') || key.startsWith('nginx.ingress.kubernetes.io/affinity'),
  );
  return (
    patch.type === 'merge' && resource.plural === 'ingresses' && marks && Object.keys({ ...patch.body, ...others }).join() === 'metadata'
  );
}

/** Sends one patch of the way out; answers why it could not. */
async function send(prepared) {
  const { resource, name: target, patch, words } = prepared;
  if (!isOfRoute(prepared)) return `${words}: refused; the patch on record changes more than a route of ${NAMESPACE}`;
  const root = resource.group === '' ? '/api/v1' : `/apis/${resource.group}/${resource.version}`;
  const path = `${root}/namespaces/${NAMESPACE}/${resource.plural}/${encodeURIComponent(target)}`;
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await ask(path, 'PATCH', patchTypes[patch.type], patch.body);
      console.log(answer ? `${words}: done` : `${words}: ${resource.plural}/${target} is gone`);
      return undefined;
    } catch (error) {
      if (error.status === 422 || error.status === 409)
        return `${words}: refused, ${resource.plural}/${target} is not what it was when the step came into force: somebody changed it since, or users were sent back already (${error.message})`;
      if (error.status === 403 || attempt === ATTEMPTS) return `${words}: ${error.message}`;
      await sleep(1_000);
    }
  }
}

const save = (version, state) =>
  ask(configMap, 'PATCH', patchTypes.merge, { metadata: { resourceVersion: version }, data: { 'state.json': JSON.stringify(state) } });

/** The rollout on its way back, on the condition that nobody wrote since it was read, and fenced: a run that wakes up can write no more. */
async function claim(object, state, atWork) {
  const why = atWork
    ? `The run that moved users was silent for ${QUIET_SECONDS} s; the watchdog sent them back.`
    : `Nobody went on with the release for ${REST_SECONDS} s; the watchdog sent users back.`;
  const claimed = {
    ...state,
    phase: 'aborting',
    ended: state.ended ?? { reason: 'RUNNER_LOST', summary: why },
    stepStartedAt: null,
    finishedAt: null,
    generation: state.generation + 1,
    fencing: state.fencing + 1,
    log: [...(state.log ?? []), { at: new Date().toISOString(), what: 'back: RUNNER_LOST' }].slice(-50),
  };
  const { metadata } = (await save(object.metadata.resourceVersion, claimed)) ?? {};
  return { version: metadata?.resourceVersion, claimed };
}

/** False: somebody wrote in the meantime, so somebody is alive. */
async function sendBack({ object, state, atWork }) {
  const { wayOut = [], id } = state;
  if (wayOut.length === 0) {
    if (mayBeMet(state))
      throw new Error(`${id}: its run is silent and users may meet the canary, but no way out is on record. Run \`abort\`.`);
    console.log(`${id}: its run is silent, and nobody meets the canary. Run its command again, or \`abort\`.`);
    return true;
  }
  const problems = [];
  const { version, claimed } = await claim(object, state, atWork).catch((error) => {
    if (error.status === 409) return { version: 'newer' };
    problems.push(`the state could not be written: ${error.message}`); // No reason to leave users where they are.
    return {};
  });
  if (version === 'newer') return false;
  for (const prepared of wayOut) problems.push(await send(prepared));
  const failed = problems.filter((problem) => problem !== undefined);
  if (failed.length > 0) throw new Error(`${id}: NOT all is done; run \`abort\`.\n${failed.join('\n')}`);
  // What was sent need not be sent again by the next of these Jobs.
  await save(version, { ...claimed, wayOut: [], generation: claimed.generation + 1 }).catch((error) =>
    console.log(`not noted: ${error.message}`),
  );
  console.log(
    `${id}: ${claimed.ended.summary} Users are back on ${claimed.image?.from}. The next command of Slipway puts the canary away.`,
  );
  return true;
}

async function look() {
  const object = await ask(configMap);
  const state = stateOf(object);
  const reason = whyNot(state);
  if (reason !== undefined) return { reason };
  const held = await ask(lease);
  const version = `${object.metadata.resourceVersion} ${held?.metadata?.resourceVersion}`;
  return { object, state, version, atWork: isAtWork(state, held?.spec?.holderIdentity) };
}

async function watch() {
  if (!NAMESPACE || !WORKLOAD) throw new Error('NAMESPACE and WORKLOAD say which rollout is guarded; one is empty.');
  if (!(quietMs > 0 && restMs > 0 && everyMs > 0)) throw new Error('QUIET_SECONDS, REST_SECONDS and EVERY_SECONDS are numbers above 0.');
  let seen = '';
  let silent = 0;
  let before = performance.now();
  let failures = 0;
  for (;;) {
    let looked;
    try {
      looked = await look();
      failures = 0;
    } catch (error) {
      const isTransient = error.status === undefined ? error.name !== 'Error' : error.status === 429 || error.status >= 500;
      if (!isTransient || ++failures === FAILURES) throw error;
    }
    const now = performance.now();
    if (looked) {
      const { state, reason, version, atWork } = looked;
      if (reason !== undefined) return console.log(`nothing to guard: ${reason}`);
      if (seen === '') console.log(`${state.id} is ${state.phase}: watched`);
      // Only time that was looked at counts: not that in which the API server was away, or this process stood still.
      silent = version === seen ? silent + Math.min(now - before, 2 * everyMs) : 0;
      seen = version;
      if (silent >= (atWork ? quietMs : restMs) && (await sendBack(looked))) return;
    }
    before = now;
    await sleep(everyMs);
  }
}

await watch().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
