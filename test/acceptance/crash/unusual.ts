import type { ActionOutcome } from '../run-action.js';
import type { Cell } from './points.js';
import { told } from './recording.js';
import { abort, analyze, bad, type Command, former, good, image, promote, rollBack, start, step } from './releases.js';
import { comesToRest, type Rest, readRest, readState } from './rest.js';
import { type How, openWorld, type World } from './world.js';

const tenMinutes = 600_000;
/** A canary that is never ready: its `start` is at work, and holds the lease, until its time for that is over. */
const neverReady = start('v1.4.0-notready');
/** Time goes ten times as fast: a lease's minute is six seconds. */
const fast = { rate: 10 };

interface Unusual {
  name: string;
  /** Answers what was not right. */
  run(world: World): Promise<string[]>;
}

export const unusualCells: readonly Cell[] = ([] as Unusual[])
  .concat(skewedClocks(), leases(), goneNamespace(), editedStates())
  .map(({ name, run }) => ({
    group: 'clocks, leases, namespace, edited state',
    name,
    run: async () => {
      const world = await openWorld('istio');
      try {
        const problems = await run(world);
        const deleted = world.sandbox.find('Namespace', '', 'shop') === undefined;
        return [{ what: name, problems: deleted ? problems : [...problems, ...(await world.users.problems())] }];
      } finally {
        await world.end();
      }
    },
  }));

function skewedClocks(): Unusual[] {
  const behind = { shift: -tenMinutes };
  const ahead = { shift: tenMinutes };
  const canary = (name: string, clocks: readonly { shift: number }[]): Unusual => ({
    name,
    run: async (world) => {
      const problems: string[] = [];
      for (const [index, command] of [start(good), step, promote].entries()) {
        problems.push(...expectEnd(await end(world, command, { clock: { ...clocks[index] } }), 0));
      }
      return [...problems, ...(await comesToRest(world.sandbox, { leaseHolder: '', canary: null })), ...served(world, good)];
    },
  });
  const judged = (name: string, first: { shift: number }, second: { shift: number }): Unusual => ({
    name,
    run: async (world) => {
      const began = expectEnd(await end(world, start(bad, 50), { clock: first }), 0);
      const seen = expectEnd(await end(world, analyze, { clock: second }), 1, 'ERROR_RATE_WORSE');
      return [...began, ...seen, ...(await comesToRest(world.sandbox, { leaseHolder: '', canary: null })), ...served(world, former)];
    },
  });
  return [
    canary('clocks: first job 10 min ahead, then right, then 10 min behind', [ahead, { shift: 0 }, behind]),
    canary('clocks: first job 10 min behind, then right, then 10 min ahead', [behind, { shift: 0 }, ahead]),
    judged('clocks: the analysis is 10 min behind the start', { shift: 0 }, behind),
    judged('clocks: the analysis is 10 min ahead of the start', { shift: 0 }, ahead),
    ...[ahead, behind].map(({ shift }) => ({
      name: `clocks: the holder of the lease is 10 min ${shift > 0 ? 'ahead' : 'behind'} and alive: it is asked to go back`,
      run: async (world: World) => {
        const first = world.start(neverReady, { clock: { ...fast, shift } });
        await holds(world);
        const second = await world.start(abort, { job: 'other', clock: fast }).finished;
        return [...expectEnd(second, 0, 'ABORTED'), ...expectEnd(await first.finished, 1), ...served(world, former)];
      },
    })),
  ];
}

function leases(): Unusual[] {
  const leaseOf = (holder: string, renewedAt: number, transitions: number) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'slipway-shop', namespace: 'shop' },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: 60,
      acquireTime: microTime(renewedAt),
      renewTime: microTime(renewedAt),
      leaseTransitions: transitions,
    },
  });
  return [
    {
      name: 'lease: expired an hour ago is taken over',
      run: async (world) => {
        world.sandbox.apply(leaseOf('octo/shop/7/1/dead', Date.now() - 3_600_000, 3));
        const problems = expectEnd(await end(world, start(good), { clock: fast }), 0, 'STEP_IN_FORCE');
        const { leaseTransitions } = world.sandbox.get('Lease', 'shop', 'slipway-shop').spec;
        return [...problems, ...(leaseTransitions > 3 ? [] : [`its fencing number is ${leaseTransitions}, not above 3`])];
      },
    },
    {
      name: 'lease: stolen while a canary gets ready: the robbed run writes nothing more',
      run: async (world) => {
        const first = world.start(neverReady, { clock: fast });
        await world.sandbox.until('the canary is made', () => world.sandbox.find('Deployment', 'shop', 'shop-canary') !== undefined);
        const transitions: number = world.sandbox.get('Lease', 'shop', 'slipway-shop').spec.leaseTransitions;
        world.sandbox.apply(leaseOf('octo/shop/8/1/thief', Date.now(), transitions + 1));
        const stolenAt = world.sandbox.writes.length;
        const robbed = expectEnd(await first.finished, 1, 'LEASE_LOST');
        const written = world.sandbox.writes.slice(stolenAt).filter(({ status }) => status < 300);
        return [...robbed, ...written.map(({ verb, resource, name }) => `wrote after it had lost the lease: ${verb} ${resource}/${name}`)];
      },
    },
  ];
}

function goneNamespace(): Unusual[] {
  return [
    {
      name: 'namespace deleted while a canary gets ready',
      run: async (world) => {
        const first = world.start(neverReady, { clock: fast });
        await world.sandbox.until('the canary is made', () => world.sandbox.find('Deployment', 'shop', 'shop-canary') !== undefined);
        world.sandbox.remove('Namespace', '', 'shop');
        const ended = await first.finished;
        const again = await end(world, start(good), { attempt: 2 });
        const back = await end(world, abort, { job: 'cleanup' });
        return [...named(ended), ...named(again), ...named(back), ...leftOvers(world)];
      },
    },
    {
      name: 'namespace deleted between two steps',
      run: async (world) => {
        const problems = expectEnd(await end(world, start(good)), 0);
        world.sandbox.remove('Namespace', '', 'shop');
        for (const command of [step, analyze, promote, abort, rollBack]) problems.push(...named(await end(world, command)));
        return [...problems, ...leftOvers(world)];
      },
    },
  ];
}

/** Each edit is made at 10 %; the commands that go forward must refuse it and write nothing. */
function editedStates(): Unusual[] {
  const edited = (
    name: string,
    // biome-ignore lint/suspicious/noExplicitAny: somebody edits whatever there is
    edit: (state: any) => unknown,
    reason: string,
    back: (world: World, rest: Rest) => Promise<string[]>,
  ): Unusual => ({
    name: `state ${name}`,
    run: async (world) => {
      const before = readRest(world.sandbox);
      const problems = expectEnd(await end(world, start(good)), 0);
      const edition = edit(readState(world.sandbox));
      const text = typeof edition === 'string' ? edition : JSON.stringify(edition);
      const map = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'slipway-shop', namespace: 'shop' },
        data: { 'state.json': text },
      };
      world.sandbox.apply(map);
      const from = world.sandbox.writes.length;
      for (const command of [step, analyze, { ...promote, inputs: { ...promote.inputs, weight: '100' } }]) {
        problems.push(...expectEnd(await end(world, command, { job: 'later' }), 1, reason));
      }
      const written = world.sandbox.writes.slice(from).filter(({ resource, status }) => status < 300 && !resource.startsWith('leases'));
      problems.push(...written.map((write) => `a refused command wrote ${write.verb} ${write.resource}/${write.name}`));
      return [...problems, ...(await back(world, before))];
    },
  });
  const abortGoesByTheCluster = (reason: string) => async (world: World, before: Rest) => [
    ...expectEnd(await end(world, abort), 1, reason),
    // How the route was written before is on the record alone, so the canary may stay in it, with no share.
    ...(await comesToRest(world.sandbox, { leaseHolder: '', canary: null, stable: before.stable, pods: before.pods })),
    ...(world.users.weight() === 0 ? [] : [`${world.users.weight()} % are still routed to the canary`]),
  ];
  return [
    edited(
      'cut off in the middle',
      (state) => JSON.stringify(state).slice(0, 200),
      'STATE_CORRUPT',
      abortGoesByTheCluster('STATE_CORRUPT'),
    ),
    edited(
      'with a phase that does not exist',
      (state) => ({ ...state, phase: 'flying' }),
      'STATE_CORRUPT',
      abortGoesByTheCluster('STATE_CORRUPT'),
    ),
    edited('with a step that does not exist', (state) => ({ ...state, step: 7 }), 'STATE_CORRUPT', abortGoesByTheCluster('STATE_CORRUPT')),
    edited('without its target', ({ target: _, ...state }) => state, 'STATE_CORRUPT', abortGoesByTheCluster('STATE_CORRUPT')),
    edited('of a newer schema', (state) => ({ ...state, schema: state.schema + 1 }), 'STATE_NEWER', abortGoesByTheCluster('STATE_NEWER')),
  ];
}

function end(world: World, command: Command, how: How = {}): Promise<ActionOutcome> {
  return world.start(command, how).finished;
}

async function holds({ sandbox }: World): Promise<void> {
  await sandbox.until('the lease is held', () => Boolean(sandbox.find('Lease', 'shop', 'slipway-shop')?.spec.holderIdentity));
}

function expectEnd(outcome: ActionOutcome, code: number, reason?: string): string[] {
  const right = outcome.code === code && (reason === undefined || outcome.result?.reason === reason);
  return right ? [] : [`expected exit ${code}${reason ? ` ${reason}` : ''}: ${told(outcome)}`];
}

/** A failure with a reason, which is no defect. */
function named(outcome: ActionOutcome): string[] {
  const { code, result } = outcome;
  return code === 1 && result && result.reason !== 'DEFECT' ? [] : [`expected a named failure: ${told(outcome)}`];
}

function served({ sandbox }: World, tag: string): string[] {
  const there = sandbox.get('Deployment', 'shop', 'shop').spec.template.spec.containers[0].image;
  return there === image(tag) ? [] : [`stable has ${there}, not ${image(tag)}`];
}

function leftOvers({ sandbox }: World): string[] {
  const left = ['Deployment', 'ConfigMap', 'Lease', 'VirtualService'].flatMap((kind) => sandbox.list(kind, 'shop'));
  return left.map(({ kind, metadata }) => `left in the deleted namespace: ${kind} ${metadata.name}`);
}

function microTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
