import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type RolloutState, standingOf } from '@slipway/rollout';
import type { ShopRouter } from '@slipway/sandbox';
import { parseAllDocuments } from 'yaml';
import { node24 } from '../../scripts/node24.mjs';
import { image, scene, type World, watched } from './cluster/release.js';
import { repositoryRoot } from './run-action.js';

const script = join(repositoryRoot, 'watchdog', 'watchdog.mjs');
const manifest = readFileSync(join(repositoryRoot, 'docs/rbac/watchdog.yaml'), 'utf8');
const objects = parseAllDocuments(manifest).map((each) => each.toJS());
const ofKind = (kind: string) => objects.find((each) => each.kind === kind);

interface Watchdog {
  child: ChildProcess;
  ended: Promise<{ code: number | null; said: string }>;
}

/** The script as the CronJob runs it, on another API server and with less patience. */
function watchdog(env: Record<string, string>): Watchdog {
  const child = spawn(node24(), [script], {
    env: {
      PATH: process.env.PATH,
      NAMESPACE: 'shop',
      WORKLOAD: 'shop',
      EVERY_SECONDS: '0.2',
      QUIET_SECONDS: '3',
      REST_SECONDS: '3',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const hear = (text: string) => {
    said += text;
  };
  child.stdout?.setEncoding('utf8').on('data', hear);
  child.stderr?.setEncoding('utf8').on('data', hear);
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, said }))) };
}

const serviceAccount = 'system:serviceaccount:shop:slipway-watchdog-shop';

/** A watchdog in the sandbox, with the rights of docs/rbac/watchdog.yaml and no other. */
function beside({ sandbox, cwd }: World, env: Record<string, string> = {}): Watchdog {
  sandbox.apply(manifest);
  const token = join(cwd, 'token');
  writeFileSync(token, `${sandbox.addUser(serviceAccount)}\n`);
  return watchdog({ API_SERVER: sandbox.apiUrl, TOKEN_FILE: token, ...env });
}

const start = { command: 'start', image: image('v1.4.0') };
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('docs/rbac/watchdog.yaml', () => {
  it('has the script of watchdog/watchdog.mjs', () => {
    const { data } = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'slipway-watchdog');
    expect(Object.keys(data)).toEqual(['watchdog.mjs']);
    expect(data['watchdog.mjs']).toBe(readFileSync(script, 'utf8'));
  });

  it('runs it as nobody, and gives it what it asks for', () => {
    const { spec } = ofKind('CronJob').spec.jobTemplate.spec.template;
    const given = spec.containers[0].env.map(({ name }: { name: string }) => name);
    expect(given).toEqual(['NAMESPACE', 'WORKLOAD', 'QUIET_SECONDS', 'REST_SECONDS', 'NODE_EXTRA_CA_CERTS']);
    expect(spec.securityContext.runAsNonRoot).toBe(true);
    expect(spec.containers[0].securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
    expect(ofKind('CronJob').spec.concurrencyPolicy).toBe('Forbid');
  });

  const configs: Record<Exclude<ShopRouter, 'argo'>, string> = {
    istio: 'traffic: { router: istio }',
    replicas: 'traffic: { router: replicas }',
    'gateway-api': 'traffic: { router: gateway-api, stable-service: shop-stable }',
    nginx: 'traffic: { router: nginx }',
    service: 'strategy: blue-green',
  };
  const used = new Set<string>();

  it.concurrent.each(Object.entries(configs))(
    'is enough with %s: users are sent back',
    async (router, traffic) => {
      await scene({ shop: { router: router as ShopRouter } }, async (shop) => {
        const weight = router === 'service' ? 100 : 50;
        const yml = `version: 1\nenvironments: { production: { namespace: shop } }\nservices:\n  shop:\n    ${traffic}\n    steps: [{ weight: ${weight}, duration: 60s }]\n    ready-timeout: 20s\n    drain: 1s\n`;
        writeFileSync(join(shop.cwd, '.github/slipway.yml'), yml);
        const { code, stdout } = await shop.run('canary-deploy', start);
        expect({ code, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stdout: '' });
        expect(shop.state().wayOut.length).toBeGreaterThan(0);
        shop.sandbox.requestLog.reset();
        const { ended } = beside(shop);
        expect(await ended).toEqual({ code: 0, said: expect.stringMatching(/: done\n/) });
        for (const { verb, path } of shop.sandbox.requestLog.all()) used.add(`${verb} ${path.split('/namespaces/shop/')[1]}`);
        expect(shop.state()).toMatchObject({ phase: 'aborting', ended: { reason: 'RUNNER_LOST' }, wayOut: [] });
        await shop.sandbox.settled();
        const from = Date.now();
        await sleep(2_000);
        const { byTrack, total } = shop.sandbox.stats('shop/shop', { from: from + 1_000 });
        expect([byTrack.canary?.sent ?? 0, total.sent > 50]).toEqual([0, true]);
        const back = await shop.run('auto-rollback', { command: 'now', image: image('v1.4.0') }, { job: 'sweep' });
        expect(back).toMatchObject({ code: 0, outputs: { 'rolled-back': 'true' } });
        expect([shop.hasCanary(), shop.state().phase]).toEqual([false, 'aborted']);
      })();
    },
    90_000,
  );

  it('allows nothing that none of them needs', () => {
    const granted = ofKind('Role').rules.flatMap((rule: { resources: string[]; resourceNames: string[]; verbs: string[] }) =>
      rule.resources.flatMap((resource) => rule.resourceNames.flatMap((name) => rule.verbs.map((verb) => `${verb} ${resource}/${name}`))),
    );
    expect([...used].sort()).toEqual([...granted].sort());
  });
});

describe('the watchdog, while', () => {
  it.concurrent(
    'a run dies at 10 %: users are back, the state says why, and the dead run is fenced off',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', start);
      const analysis = shop.start('canary-analyze', {});
      await watched(shop);
      analysis.child.kill('SIGKILL');
      await analysis.finished;
      const before = shop.state();
      const { code, said } = await beside(shop).ended;
      expect(code).toBe(0);
      expect(said).toContain('The run that moved users was silent for 3 s');
      expect(shop.weight()).toBe(0);
      const { phase, ended, fencing, log } = shop.state();
      expect({ phase, reason: ended.reason, fencing }).toEqual({ phase: 'aborting', reason: 'RUNNER_LOST', fencing: before.fencing + 1 });
      expect(log.at(-1).what).toBe('back: RUNNER_LOST');
      expect((await beside(shop).ended).code).toBe(0);

      const next = await shop.run('canary-deploy', { command: 'step' }, { job: 'half' });
      expect(next).toMatchObject({ code: 1, outputs: { reason: 'ROLLOUT_ABORTED' } });
      expect([shop.hasCanary(), shop.state().phase, shop.weight()]).toEqual([false, 'aborted', 0]);
      expect(next.result.summary).toContain('the watchdog sent them back');
    }),
    60_000,
  );

  it.concurrent(
    'a run lives, or waits for one that holds the lease: nothing is moved',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', start);
      const { child, ended } = beside(shop, { QUIET_SECONDS: '5', REST_SECONDS: '5' });
      for (let second = 0; second < 8; second++) {
        await sleep(1_000);
        const state = shop.state();
        const data = { 'state.json': JSON.stringify({ ...state, generation: state.generation + 1 }) };
        shop.sandbox.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'slipway-shop', namespace: 'shop' }, data });
      }
      expect([child.exitCode, shop.weight(), shop.state().phase]).toEqual([null, 10, 'progressing']);
      await shop.run('canary-deploy', { command: 'pause', why: 'lunch' });
      expect(await ended).toEqual({ code: 0, said: expect.stringMatching(/nothing to guard: the rollout is paused by /) });
      expect(shop.weight()).toBe(10);
    }),
    60_000,
  );

  it.concurrent(
    'a release rests between two jobs: nothing is moved before REST_SECONDS have gone',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', start);
      const { child, ended } = beside(shop, { QUIET_SECONDS: '1', REST_SECONDS: '6' });
      await sleep(4_000);
      expect([child.exitCode, shop.weight(), shop.state().phase]).toEqual([null, 10, 'progressing']);
      const { code, said } = await ended;
      expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('Nobody went on with the release for 6 s') });
      expect(shop.weight()).toBe(0);
    }),
    60_000,
  );

  it.concurrent(
    'nothing is released, and after a release: ends at once',
    scene({ config: { duration: '2s' } }, async (shop) => {
      expect(await beside(shop).ended).toEqual({ code: 0, said: 'nothing to guard: there never was a rollout\n' });
      await shop.run('canary-deploy', start);
      await shop.run('canary-deploy', { command: 'promote', weight: '100' });
      expect(await beside(shop).ended).toEqual({ code: 0, said: 'nothing to guard: the rollout is promoted\n' });
    }),
    60_000,
  );

  it.concurrent(
    'somebody changed the route: fails, says so, and leaves the route; the next command sends users back',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', start);
      const { apiVersion, kind, spec } = shop.sandbox.get('VirtualService', 'shop', 'shop');
      const [primary] = spec.http;
      const weight = () => shop.sandbox.get('VirtualService', 'shop', 'shop').spec.http[0].route[1]?.weight ?? 0;
      const http = [{ ...primary, name: 'renamed' }];
      shop.sandbox.apply({ apiVersion, kind, metadata: { name: 'shop', namespace: 'shop' }, spec: { ...spec, http } });
      const { code, said } = await beside(shop).ended;
      expect(code).toBe(1);
      expect(said).toMatch(/NOT all is done; run `abort`\.\n.*virtualservices\/shop is not what it was/);
      expect([weight(), shop.state().phase]).toEqual([10, 'aborting']);
      const back = await shop.run('auto-rollback', {}, { job: 'sweep' });
      expect(back.result).toMatchObject({ outcome: 'pass', reason: 'ROLLED_BACK' });
      expect([weight(), shop.hasCanary()]).toEqual([0, false]);
    }),
    60_000,
  );

  it.concurrent(
    'the API server is away for a while: that time does not count, and a run that could not write either is not taken for dead',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', start);
      const { child, ended } = beside(shop, { QUIET_SECONDS: '2', REST_SECONDS: '2', EVERY_SECONDS: '0.5' });
      await sleep(1_200);
      shop.sandbox.faults.add({ path: '/configmaps/', method: 'GET', times: 4, action: 'status', code: 503 });
      await sleep(1_300);
      expect([child.exitCode, shop.weight()]).toEqual([null, 10]);
      expect((await ended).code).toBe(0);
      expect(shop.weight()).toBe(0);
    }),
    60_000,
  );

  it.concurrent(
    'its Role lacks the route: fails and names what was refused; the rollout is marked all the same',
    scene({}, async (shop) => {
      await shop.run('canary-deploy', start);
      const role = ofKind('Role');
      const run = beside(shop);
      const rules = role.rules.filter(({ resources }: { resources: string[] }) => !resources.includes('virtualservices'));
      shop.sandbox.apply({ ...role, rules });
      const { code, said } = await run.ended;
      expect({ code, said }).toEqual({ code: 1, said: expect.stringMatching(/403 .*virtualservices/) });
      expect(shop.state().phase).toBe('aborting');
    }),
    60_000,
  );
});

const directory = mkdtempSync(join(tmpdir(), 'slipway-watchdog-'));
const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, 'a-token\n');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** An API server with one state, and a Lease of `holder`, that takes every patch down. */
async function withState(state: unknown, env: Record<string, string> = {}, holder = '') {
  const patches: string[] = [];
  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    if (method === 'PATCH') patches.push(url);
    const text = typeof state === 'string' ? state : JSON.stringify(state);
    const content = url.includes('/configmaps/') ? { data: { 'state.json': text } } : { spec: { holderIdentity: holder } };
    const answer = { metadata: { resourceVersion: '7' }, ...content };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const patience = { QUIET_SECONDS: '0.3', REST_SECONDS: '0.6', EVERY_SECONDS: '0.1' };
    const run = watchdog({ API_SERVER: `http://127.0.0.1:${port}`, TOKEN_FILE: tokenFile, ...patience, ...env });
    return { ...(await run.ended), patches: patches.filter((url) => !url.includes('/configmaps/')) };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the watchdog and the sweeper', () => {
  const virtualService = { group: 'networking.istio.io', version: 'v1', plural: 'virtualservices', kind: 'VirtualService' };
  const patch = { type: 'json', body: [{ op: 'add', path: '/spec/http/0/route/1/weight', value: 0 }] };
  const way = { resource: virtualService, namespace: 'shop', name: 'shop', patch, words: 'send all of VirtualService shop/shop to stable' };
  const sound = {
    schema: 1,
    id: 'shop-1',
    kind: 'canary',
    generation: 3,
    fencing: 2,
    phase: 'progressing',
    weight: 10,
    stepStartedAt: '2026-11-22T19:00:00Z',
    intent: null,
    image: { from: 'v1', to: 'v2' },
    log: [],
    wayOut: [way],
  };
  const paused = { at: '2026-11-22T19:00:00Z', by: 'ann', why: 'lunch' };
  const phases = ['none', 'starting', 'progressing', 'promoting', 'promoted', 'aborting', 'aborted', 'undoing', 'undone'];
  const works = [{}, { evidence: { running: true } }, { evidence: { running: false } }, { stepStartedAt: null }, { holder: 'a-run' }];
  const cases = phases.flatMap((phase) =>
    works.flatMap((work) => [
      { phase, ...work },
      { phase, ...work, paused },
    ]),
  );

  it.concurrent.each(cases)('go by the same rule: %j', async ({ holder, ...given }: { phase: string; holder?: string }) => {
    const state = { ...sound, ...given };
    const { code, said, patches } = await withState(state, {}, holder);
    // What only a command can finish is not the watchdog's.
    const byCommand = given.phase === 'promoting' || given.phase === 'undoing';
    const standing = byCommand ? 'at-rest' : standingOf(state as unknown as RolloutState, holder);
    const waited = { 'at-work': 'silent for 0.3 s', 'between-jobs': 'Nobody went on with the release for 0.6 s' };
    const words = waited[standing as keyof typeof waited];
    expect({ code, patches: patches.length, said }).toEqual({
      code: 0,
      patches: words ? 1 : 0,
      said: expect.stringContaining(words ?? 'nothing to guard'),
    });
  });

  it.concurrent.each<[string, unknown, RegExp]>([
    ['is of a newer schema', { ...sound, schema: 2 }, /has schema 2; this watchdog knows 1/],
    ['is no JSON', '{"schema": 1, "id"', /cannot be read/],
    ['has a phase that there is not', { ...sound, phase: 'resting' }, /says the rollout is resting/],
    ['has no way out though users meet the canary', { ...sound, wayOut: undefined }, /no way out is on record\. Run `abort`/],
    [
      'was cut off in the middle of a route',
      { ...sound, phase: 'starting', stepStartedAt: null, wayOut: undefined, intent: { change: 'route' } },
      /no way out is on record/,
    ],
    ['names an object elsewhere', { ...sound, wayOut: [{ ...way, namespace: 'payments' }] }, /changes more than a route of shop/],
    [
      'changes more than a route',
      {
        ...sound,
        wayOut: [
          {
            ...way,
            resource: { ...virtualService, group: 'apps', plural: 'deployments' },
            patch: { type: 'json', body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'evil' }] },
          },
        ],
      },
      /changes more than a route of shop/,
    ],
    [
      'merges what is no annotation of the route',
      {
        ...sound,
        wayOut: [
          {
            ...way,
            resource: { ...virtualService, plural: 'ingresses' },
            patch: { type: 'merge', body: { spec: {}, metadata: { annotations: {} } } },
          },
        ],
      },
      /changes more than a route of shop/,
    ],
  ])('fails when the state %s', async (_what, state, words) => {
    const { code, said, patches } = await withState(state);
    expect({ code, said, patches }).toEqual({ code: 1, said: expect.stringMatching(words), patches: [] });
  });

  it.concurrent('has nothing to send where nobody meets the canary yet, and says what to do', async () => {
    const { code, said, patches } = await withState({
      ...sound,
      phase: 'starting',
      stepStartedAt: null,
      wayOut: undefined,
      intent: { change: 'scale-canary' },
    });
    expect({ code, said, patches }).toEqual({ code: 0, said: expect.stringContaining('nobody meets the canary'), patches: [] });
  });

  it.concurrent.each([{ QUIET_SECONDS: 'soon' }, { REST_SECONDS: '0' }, { WORKLOAD: '' }])(
    'is not deaf when it is set up wrongly: %j',
    async (env) => {
      expect((await withState(sound, env)).code).toBe(1);
    },
  );
});
