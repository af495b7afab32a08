import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Command } from '../src/command.js';
import { runCommand } from '../src/run-command.js';
import { deps, find, imageOf, instantClock, namespace, shop, stateOf, target, v1, v2, weightOf } from './shop.js';

const start: Command = { kind: 'start', image: v2, version: 'v2.0.0' };
const step: Command = { kind: 'step' };
const abort: Command = { kind: 'abort', reason: 'ABORTED', summary: 'aborted by ann@laptop/9.' };
const rollBack: Command = { kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'payments fail.' };
type Kube = ReturnType<typeof shop>;
type Router = 'istio' | 'replicas';

const leaseOf = (kube: Kube) => kube.at('leases', namespace, 'slipway-shop');
const usersAtCanary = (kube: Kube, router: Router) =>
  router === 'istio' ? weightOf(kube) : ((find(kube, 'shop-canary')?.spec.replicas as number | undefined) ?? 0);

/** The lease as a run leaves it that was killed while it worked. */
function heldBy(kube: Kube, holder: string, renewTime: string): void {
  const lease = leaseOf(kube);
  kube.put({ ...lease, spec: { ...lease.spec, holderIdentity: holder, renewTime } });
}

/** Leases are renewed in the background by a timer; here it is moved by the sleeps of the one that holds it. */
const withTimers = () =>
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'setTimeout', 'nextTick', 'queueMicrotask', 'Date', 'performance'] });
afterEach(() => {
  jest.useRealTimers();
});

/** A clock of a run beside which others live: while it waits they get on, and renew the lease if they have it. */
function clockBeside(kube: Kube, self: string) {
  const clock = instantClock();
  const sleep = clock.sleep;
  clock.sleep = async (ms, signal) => {
    await sleep(ms, signal);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (leaseOf(kube).spec.holderIdentity === self) await jest.advanceTimersByTimeAsync(ms);
    const holder = leaseOf(kube).spec.holderIdentity;
    if (holder !== '' && holder !== self) heldBy(kube, holder, new Date(clock.now()).toISOString());
  };
  return clock;
}

describe('a way back while a dead run holds the lease', () => {
  it.each<[Router, Command]>([
    ['istio', abort],
    ['istio', rollBack],
    ['replicas', abort],
  ])('sends users back before it waits (%s, $1.kind)', async (router, command) => {
    const kube = shop();
    await runCommand(deps(kube, { target: target(router) }), start);
    heldBy(kube, 'acme/shop/77/1/canary', '2026-11-22T19:00:00Z');
    const run = deps(kube, { target: target(router), holder: 'acme/shop/77/1/rollback' });
    const { clock } = run.context;
    const began = clock.now();
    let safeAt: number | undefined;
    kube.react = ((react) => (object: Parameters<Kube['react']>[0]) => {
      react(object);
      if (usersAtCanary(kube, router) === 0) safeAt ??= clock.now();
    })(kube.react);
    const { verdict, state } = await runCommand(run, command);
    expect(safeAt).toBe(began);
    expect(clock.now() - began).toBeGreaterThan(15_000);
    expect(verdict).toMatchObject({ outcome: 'pass', reason: command.kind === 'abort' ? 'ABORTED' : 'ROLLED_BACK' });
    expect(state).toMatchObject({ phase: 'aborted', ended: { summary: (command as { summary: string }).summary } });
    expect(find(kube, 'shop-canary')).toBeUndefined();
    expect(run.lines.join('\n')).toMatch(/lease is held by acme\/shop\/77\/1\/canary; users come first: .*: done/);
  });

  it('leaves a rollout of another image, one that is at rest and one that is promoting as they are until it has the lease', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    heldBy(kube, 'dead', '2026-11-22T19:00:00Z');
    const writes = () => kube.writes().filter(({ plural }) => plural === 'virtualservices').length;
    const before = writes();
    const { verdict } = await runCommand(deps(kube, { holder: 'b' }), { ...rollBack, image: 'registry.example/shop:v3' });
    expect(verdict.reason).toBe('NOTHING_TO_DO');
    expect(writes()).toBe(before);
    expect(weightOf(kube)).toBe(10);
  });

  it('goes on to wait when the route cannot be written, and sends users back with the lease', async () => {
    const kube = shop();
    await runCommand(deps(kube), start);
    heldBy(kube, 'dead', '2026-11-22T19:00:00Z');
    kube.before = ({ verb, plural }) => {
      const dead = leaseOf(kube).spec.holderIdentity === 'dead';
      if (dead && verb === 'patch' && plural === 'virtualservices') throw new Error('the API server is away');
      return undefined;
    };
    const run = deps(kube, { holder: 'b' });
    expect((await runCommand(run, abort)).verdict.outcome).toBe('pass');
    expect(weightOf(kube)).toBe(0);
    expect(run.lines.join('\n')).toContain('could not');
  });
});

/** A `start` or `step` that lives, and an abort from elsewhere that comes at its nth request. */
async function abortedAt(router: Router, command: Command, nth: number) {
  const kube = shop();
  if (command.kind === 'step') await runCommand(deps(kube, { target: target(router) }), start);
  const holder = 'acme/shop/77/1/live';
  const live = deps(kube, { target: target(router), holder });
  const other = deps(kube, { target: target(router), holder: 'ann@laptop/9' });
  live.context.clock = clockBeside(kube, holder);
  other.context.clock = clockBeside(kube, 'ann@laptop/9');
  let aborted: ReturnType<typeof runCommand> | undefined;
  let requests = 0;
  const forward: number[] = [];
  kube.before = ({ verb, plural, name }) => {
    requests += 1;
    if (requests === nth) aborted ??= runCommand(other, abort);
    const isRoute = router === 'istio' ? plural === 'virtualservices' : plural === 'deployments' && name === 'shop-canary';
    if (verb === 'get' || verb === 'list' || !isRoute || aborted === undefined || stateOf(kube).phase !== 'aborting') return undefined;
    const users = usersAtCanary(kube, router);
    return () => usersAtCanary(kube, router) > users && forward.push(requests);
  };
  const ended = await runCommand(live, command).catch((error) => ({
    verdict: { outcome: 'error', reason: error.reason, summary: error.message },
  }));
  const isOver = aborted === undefined;
  requests = Number.NaN;
  aborted ??= runCommand(other, abort);
  return { kube, ended, back: await aborted, isOver, forward };
}

describe.each<Router>(['istio', 'replicas'])('an abort from elsewhere, while a run that lives moves users forward (%s)', (router) => {
  it.each([start, step])(
    'at any of its requests: all users end on stable, and at most one change that was announced before still comes ($kind)',
    async (command) => {
      withTimers();
      let nth = 1;
      for (; nth < 200; nth++) {
        const { kube, ended, back, isOver, forward } = await abortedAt(router, command, nth);
        const told = JSON.stringify({ nth, ended: ended.verdict, back: back.verdict });
        // It came before anything was begun, and was told so.
        if (back.verdict.reason === 'NOTHING_TO_DO') continue;
        expect([told, usersAtCanary(kube, router)]).toEqual([told, 0]);
        expect([told, find(kube, 'shop-canary')]).toEqual([told, undefined]);
        expect([told, imageOf(kube)]).toEqual([told, v1]);
        expect([told, leaseOf(kube).spec.holderIdentity]).toEqual([told, '']);
        expect([told, stateOf(kube).phase]).toEqual([told, 'aborted']);
        expect([told, back.verdict.outcome]).toEqual([told, 'pass']);
        expect([told, forward.length <= 1]).toEqual([told, true]);
        if (isOver) break;
        // It was turned away when the abort was there first.
        expect(['ABORTED', 'STEP_IN_FORCE', 'LEASE_HELD', 'ROLLOUT_ABORTED']).toContain(ended.verdict.reason);
      }
      expect(nth).toBeGreaterThan(15);
    },
  );
});

describe('a run that waits while another one aborts', () => {
  it('goes back at the next renewal of its lease, not when its wait is over', async () => {
    withTimers();
    const kube = shop();
    await runCommand(deps(kube), start);
    const { react } = kube;
    // Its new pods never get ready.
    kube.react = (object) => {
      react(object);
      const isCanary = object.kind === 'Deployment' && object.metadata.name === 'shop-canary';
      if (isCanary && object.spec.replicas > 1) object.status.availableReplicas = 1;
    };
    const live = deps(kube, { holder: 'acme/shop/77/1/live', target: { ...target(), readyTimeout: 600_000 } });
    const other = deps(kube, { holder: 'ann@laptop/9' });
    other.context.clock = clockBeside(kube, 'ann@laptop/9');
    const clock = clockBeside(kube, 'acme/shop/77/1/live');
    let waited = 0;
    let aborted: ReturnType<typeof runCommand> | undefined;
    live.context.clock = {
      now: clock.now,
      sleep: (ms, signal) => {
        waited += ms;
        aborted ??= runCommand(other, abort);
        return clock.sleep(ms, signal);
      },
    };
    const { verdict } = await runCommand(live, step);
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'ABORTED' });
    expect(waited).toBeLessThan(60_000);
    expect((await aborted)?.verdict).toMatchObject({ outcome: 'pass', reason: 'ABORTED' });
    expect(weightOf(kube)).toBe(0);
    expect(find(kube, 'shop-canary')).toBeUndefined();
    expect(live.lines.join('\n')).toContain('Another run sent users back: aborted by ann@laptop/9.');
  });
});
