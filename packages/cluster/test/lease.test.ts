import { describe, expect, it } from '@jest/globals';
import type { OperationError } from '@slipway/core';
import { acquireLease, askHolder, type LeaseOptions, readLease, supersedes } from '../src/lease.js';
import { resources } from '../src/resources.js';
import { memoryKube } from './memory-kube.js';

/** A clock that moves only by sleeping; `during` is called before each sleep. */
function manualClock(during: (now: number) => void = () => undefined) {
  let now = Date.parse('2026-03-01T12:00:00Z');
  return {
    now: () => now,
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      during(now);
      now += ms;
    },
    advance: (ms: number) => {
      now += ms;
    },
  };
}

const name = 'slipway-shop';
const options = (clock: LeaseOptions['clock'], holder = 'o/r/1/1/deploy', more: Partial<LeaseOptions> = {}): LeaseOptions => ({
  namespace: 'shop',
  name,
  holder,
  clock,
  ...more,
});

describe('acquireLease', () => {
  it('takes a lease that was never there, and one that was released, with a higher fencing number', async () => {
    const kube = memoryKube();
    const clock = manualClock();
    const first = await acquireLease(kube, options(clock));
    expect(first.fencing).toBe(1);
    expect(kube.at('leases', 'shop', name).spec).toMatchObject({
      holderIdentity: 'o/r/1/1/deploy',
      leaseDurationSeconds: 60,
      renewTime: '2026-03-01T12:00:00.000000Z',
    });
    await first.release();
    expect(await readLease(kube, 'shop', name)).toMatchObject({ holder: null, until: null });
    const second = await acquireLease(kube, options(clock, 'o/r/2/1/deploy'));
    expect(second.fencing).toBe(2);
    await second.release();
  });

  it('starts above the fencing number of the state when somebody deleted the lease', async () => {
    const kube = memoryKube();
    const held = await acquireLease(kube, options(manualClock(), 'a', { fencingAbove: 41 }));
    expect(held.fencing).toBe(42);
    await held.release();
  });

  it('says at once who holds it when the holder is seen alive', async () => {
    const kube = memoryKube();
    const holder = await acquireLease(kube, options(manualClock(), 'o/r/1/1/deploy'));
    const clock = manualClock(() => void holder.renew());
    // The holder's clock stands still; a renewal with the same time changes nothing, so it is moved.
    kube.before = (call) => {
      if (call.verb === 'replace') (call.body as { spec: { renewTime: string } }).spec.renewTime = `${clock.now()}`;
      return undefined;
    };
    const waits: string[] = [];
    const error = await acquireLease(kube, options(clock, 'o/r/2/1/deploy', { onWait: (words) => waits.push(words) })).catch(
      (reason: OperationError) => reason,
    );
    expect(error).toMatchObject({ reason: 'LEASE_HELD', details: { holder: 'o/r/1/1/deploy' } });
    expect((error as OperationError).message).toContain('o/r/1/1/deploy holds the lease shop/slipway-shop since 2026-03-01T12:00:00');
    expect((error as OperationError).next.join()).toContain('kubectl -n shop patch lease/slipway-shop');
    expect(waits).toEqual([
      expect.stringMatching(/^The lease shop\/slipway-shop is held by o\/r\/1\/1\/deploy, renewed at .* 60 s at most/),
    ]);
    await holder.release();
  });

  it('says that it waits, once, also where the first look took a while', async () => {
    const kube = memoryKube();
    await acquireLease(kube, options(manualClock(), 'dead'));
    const clock = manualClock();
    kube.before = ({ verb }) => {
      if (verb === 'get') clock.advance(40);
      return undefined;
    };
    const waits: string[] = [];
    const held = await acquireLease(kube, options(clock, 'alive', { onWait: (words) => waits.push(words) }));
    expect(waits).toHaveLength(1);
    await held.release();
  });

  it('does not wait when told so', async () => {
    const kube = memoryKube();
    const clock = manualClock();
    const held = await acquireLease(kube, options(clock, 'a'));
    const error = await acquireLease(kube, options(clock, 'b', { waitMs: 0 })).catch((reason) => reason);
    expect(error).toMatchObject({ reason: 'LEASE_HELD', message: expect.stringContaining('for now until 2026-03-01T12:01:00.000Z') });
    await held.release();
  });

  it('takes it over from a dead holder only after its renewal did not come for the whole duration', async () => {
    const kube = memoryKube();
    const dead = await acquireLease(kube, options(manualClock(), 'dead'));
    const clock = manualClock();
    const began = clock.now();
    const held = await acquireLease(kube, options(clock, 'alive'));
    expect(clock.now() - began).toBeGreaterThanOrEqual(60_000);
    expect(clock.now() - began).toBeLessThan(65_000);
    expect(held.fencing).toBe(2);
    await expect(dead.renew()).rejects.toMatchObject({ reason: 'LEASE_LOST', message: expect.stringContaining('alive has it') });
    expect(dead.lost.aborted).toBe(true);
    expect(() => dead.assertHeld()).toThrow('no longer ours');
    await dead.release();
    expect(kube.at('leases', 'shop', name).spec.holderIdentity).toBe('alive');
    await held.release();
  });

  it('waits no longer than it takes to miss a renewal when the lease was over long before, even if clocks differ a little', async () => {
    const kube = memoryKube();
    await acquireLease(kube, options(manualClock(), 'dead'));
    const clock = manualClock();
    clock.advance(75_000);
    const began = clock.now();
    const held = await acquireLease(kube, options(clock, 'alive'));
    expect(clock.now() - began).toBeGreaterThan(15_000);
    expect(clock.now() - began).toBeLessThan(20_000);
    await held.release();
  });

  it('does not believe a time in the future', async () => {
    const kube = memoryKube();
    const ahead = manualClock();
    ahead.advance(3_600_000);
    await acquireLease(kube, options(ahead, 'dead'));
    const clock = manualClock();
    const held = await acquireLease(kube, options(clock, 'alive'));
    expect(held.fencing).toBe(2);
    await held.release();
  });

  it('gives it to one of two that take it at once', async () => {
    const kube = memoryKube();
    const clock = manualClock();
    const results = await Promise.allSettled(['a', 'b'].map((holder) => acquireLease(kube, options(clock, holder, { waitMs: 0 }))));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('lets the post step and a re-run of the same job take it at once', async () => {
    const kube = memoryKube();
    const clock = manualClock();
    await acquireLease(kube, options(clock, 'o/r/7/1/deploy'));
    const post = await acquireLease(kube, options(clock, 'o/r/7/1/deploy', { waitMs: 0 }));
    expect(post.fencing).toBe(2);
    const rerun = await acquireLease(kube, options(clock, 'o/r/7/2/deploy', { waitMs: 0 }));
    expect(rerun.fencing).toBe(3);
    await rerun.release();
  });
});

describe('a held lease', () => {
  it('is lost when it could not be renewed in time', async () => {
    const kube = memoryKube();
    const clock = manualClock();
    const held = await acquireLease(kube, options(clock));
    clock.advance(59_000);
    held.assertHeld();
    clock.advance(1_000);
    expect(() => held.assertHeld()).toThrow('could not be renewed in time');
    expect(held.lost.aborted).toBe(true);
    await held.release();
  });

  it('survives a renewal whose answer was lost, and a change of its labels', async () => {
    const kube = memoryKube();
    const clock = manualClock();
    const held = await acquireLease(kube, options(clock));
    await kube.patch(resources.leases, 'shop', name, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
    clock.advance(15_000);
    await held.renew();
    expect(kube.at('leases', 'shop', name).spec.renewTime).toBe('2026-03-01T12:00:15.000000Z');
    held.assertHeld();
    await held.release();
  });

  it('is given up although a renewal comes in between', async () => {
    const kube = memoryKube();
    const held = await acquireLease(kube, options(manualClock()));
    const late = { ...kube, withSignal: () => late, find: kube.find } as typeof kube;
    let overtaken = false;
    late.find = async (...place) => {
      const found = await kube.find(...place);
      if (!overtaken && found) await kube.replace(resources.leases, 'shop', name, { ...found, metadata: { ...found.metadata } });
      overtaken = true;
      return found;
    };
    await held.release(late);
    expect((await readLease(kube, 'shop', name))?.holder).toBeNull();
    await held.renew();
    expect(held.lost.aborted).toBe(false);
  });

  it('counts its time from when it was asked for, not from the answer', async () => {
    const kube = memoryKube();
    const clock = manualClock();
    const slow = { ...kube, withSignal: () => kube } as typeof kube;
    slow.create = async (...object) => {
      const created = await kube.create(...object);
      clock.advance(29_000);
      return created;
    };
    const held = await acquireLease(slow, options(clock));
    clock.advance(31_000);
    expect(() => held.assertHeld()).toThrow('could not be renewed in time');
    await held.release();
  });

  it('is renewed in the background', async () => {
    const kube = memoryKube();
    const held = await acquireLease(kube, options(manualClock(), 'a', { renewSeconds: 0.02 }));
    await new Promise((resolve) => setTimeout(resolve, 90));
    expect(kube.calls.filter(({ verb }) => verb === 'replace').length).toBeGreaterThanOrEqual(2);
    await held.release();
    const after = kube.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(kube.calls.length).toBe(after);
  });
});

describe('supersedes', () => {
  it.each([
    ['o/r/1/2/deploy', 'o/r/1/1/deploy', true],
    ['o/r/1/1/deploy', 'o/r/1/2/deploy', false],
    ['o/r/1/2/other', 'o/r/1/1/deploy', false],
    ['o/r/2/2/deploy', 'o/r/1/1/deploy', false],
    ['u@h/12', 'u@h/11', false],
    ['u@h/12', 'u@h/12', true],
  ])('%s over %s: %s', (holder, previous, expected) => expect(supersedes(holder, previous)).toBe(expected));
});

describe('askHolder', () => {
  const request = { by: 'ann@laptop/9', reason: 'ABORTED', summary: 'aborted by ann.' };

  it('is heard by the holder at its next renewal, which it survives', async () => {
    const kube = memoryKube();
    const held = await acquireLease(kube, options(manualClock()));
    expect(await askHolder(kube, 'shop', name, request)).toBe(true);
    expect(held.asked.aborted).toBe(false);
    await held.renew();
    expect(held.asked.reason).toMatchObject({ reason: 'ASKED_TO_GO_BACK', details: request });
    expect(held.lost.aborted).toBe(false);
    held.assertHeld();
    await held.release();
  });

  it('asks nobody when nobody holds it, and not the one who holds it next', async () => {
    const kube = memoryKube();
    expect(await askHolder(kube, 'shop', name, request)).toBe(false);
    const first = await acquireLease(kube, options(manualClock()));
    await askHolder(kube, 'shop', name, request);
    await first.release();
    expect(await askHolder(kube, 'shop', name, request)).toBe(false);
    const second = await acquireLease(kube, options(manualClock(), 'next'));
    kube.put({ ...kube.at('leases', 'shop', name), metadata: { ...kube.at('leases', 'shop', name).metadata, labels: { touched: 'yes' } } });
    await second.renew();
    expect([second.asked.aborted, kube.at('leases', 'shop', name).metadata.annotations]).toEqual([false, {}]);
    await second.release();
  });

  it('is not taken from an annotation that somebody made up', async () => {
    const kube = memoryKube();
    const held = await acquireLease(kube, options(manualClock()));
    for (const text of ['back', '{}', '{"by":"x","reason":"Y","summary":"z","fencing":7}', '[1]', 'null']) {
      const lease = kube.at('leases', 'shop', name);
      kube.put({ ...lease, metadata: { ...lease.metadata, annotations: { 'slipway.dev/go-back': text } } });
      await held.renew();
    }
    expect(held.asked.aborted).toBe(false);
    await held.release();
  });
});

describe('whileHeld', () => {
  it('is called at each look, and lets a holder that lives be waited for once it was asked', async () => {
    const kube = memoryKube();
    let looks = 0;
    const clock = manualClock(() => {
      const lease = kube.at('leases', 'shop', name);
      kube.put({ ...lease, spec: { ...lease.spec, renewTime: String(clock.now()), ...(looks === 40 ? { holderIdentity: '' } : {}) } });
    });
    await acquireLease(kube, options(manualClock(), 'live'));
    const whileHeld = async (holder: string) => {
      looks += 1;
      return holder === 'live';
    };
    const held = await acquireLease(kube, options(clock, 'patient', { whileHeld }));
    expect(looks).toBe(40);
    await held.release();
    await acquireLease(kube, options(manualClock(), 'live'));
    looks = 0;
    await expect(acquireLease(kube, options(clock, 'impatient', { whileHeld: async () => false }))).rejects.toMatchObject({
      reason: 'LEASE_HELD',
    });
  });
});
