import { expect, it } from '@jest/globals';
import { OperationError } from '@slipway/core';
import { runCommand } from '../src/run-command.js';
import { withLease } from '../src/with-lease.js';
import { deps, instantClock, namespace, shop, stateOf, v2 } from './shop.js';

type Kube = ReturnType<typeof shop>;
const stateReads = (kube: Kube) =>
  kube.calls.filter(({ verb, plural, name }) => verb === 'get' && plural === 'configmaps' && name === 'slipway-shop').length;

async function begun(): Promise<Kube> {
  const kube = shop();
  await runCommand(deps(kube), { kind: 'start', image: v2, version: null });
  return kube;
}

it('a lease that cannot be given up does not take the place of the result', async () => {
  const kube = await begun();
  const refuseRelease = () => {
    kube.before = ({ verb, plural }) => {
      if (verb === 'replace' && plural === 'leases') throw new OperationError('no answer', { reason: 'API_UNAVAILABLE' });
      return undefined;
    };
  };
  const run = deps(kube);
  const result = await withLease(run, async () => {
    refuseRelease();
    return 'done';
  });
  expect(result).toBe('done');
  expect(run.lines.join('\n')).toMatch(/lease shop\/slipway-shop could not be given up; .*: no answer/);
  kube.before = () => undefined;
  const failed = withLease(deps(kube), async () => {
    refuseRelease();
    throw new Error('the command’s own');
  });
  await expect(failed).rejects.toThrow('the command’s own');
});

it('the record is read again when the lease was waited for, whatever the clock does', async () => {
  const kube = await begun();
  const lease = kube.at('leases', namespace, 'slipway-shop');
  kube.put({ ...lease, spec: { ...lease.spec, holderIdentity: 'ann@laptop/7', renewTime: '2026-11-22T19:00:00Z' } });
  const run = deps(kube);
  const clock = instantClock();
  clock.sleep = async () => {
    // The holder writes, ends, and this machine's clock is set back by more than was waited.
    const written = { ...stateOf(kube), version: 'v-by-holder' };
    kube.put({ ...kube.at('configmaps', namespace, 'slipway-shop'), data: { 'state.json': JSON.stringify(written) } });
    kube.put({ ...kube.at('leases', namespace, 'slipway-shop'), spec: { ...lease.spec, holderIdentity: '' } });
    clock.at -= 60_000;
  };
  run.context.clock = clock;
  expect(await withLease(run, async ({ record }) => record.state?.version)).toBe('v-by-holder');
});

it('the record is read once when the clock jumps and nobody held the lease', async () => {
  const kube = await begun();
  const run = deps(kube);
  const clock = instantClock();
  run.context.clock = clock;
  kube.before = ({ plural }) => {
    if (plural === 'leases') clock.at += 30_000;
    return undefined;
  };
  const before = stateReads(kube);
  await withLease(run, async () => undefined);
  expect(stateReads(kube) - before).toBe(1);
});
