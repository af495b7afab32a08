import { describe, expect, it } from '@jest/globals';
import { type Breach, observeTriggers, startTriggers, type TriggerConfig, type TriggerWindow } from '../src/index.js';

const bounds = [1, 5, 10];
const counts = (n: number, e: number, slow = 0) => ({ n, e, b: [n - slow, n - slow, n] });
const calm = counts(1000, 1);
const bad = counts(1000, 60);

/** The breaches of each window, 10 s apart unless it says otherwise. */
function run(windows: Partial<TriggerWindow>[], config: TriggerConfig = {}): Breach[][] {
  let state = startTriggers();
  return windows.map((window, i) => {
    const base = { t: 10 * (i + 1), length: 10, bounds, subject: calm, reference: null, healthFailures: 0, restarts: 0 };
    const result = observeTriggers(JSON.parse(JSON.stringify(state)), { ...base, ...window }, config);
    state = result.state;
    return result.breaches;
  });
}
const firstAt = (all: Breach[][]) => all.findIndex((breaches) => breaches.length > 0) + 1;
const times = <T>(n: number, item: T): T[] => Array<T>(n).fill(item);

describe('triggers', () => {
  it('fire on an error rate above 5 % for two minutes, not before', () => {
    const all = run(times(12, { subject: bad }));
    expect(firstAt(all)).toBe(12);
    expect(all[11]).toEqual([expect.objectContaining({ trigger: 'error-rate', action: 'fire', value: 0.06, limit: 0.05 })]);
    expect(firstAt(run(times(60, { subject: counts(1000, 50) })))).toBe(0);
  });

  it('begin anew after one good window', () => {
    expect(firstAt(run([...times(11, { subject: bad }), {}, ...times(11, { subject: bad })]))).toBe(0);
  });

  it('are neither advanced nor reset by windows without enough requests or without any', () => {
    const quiet = [{ subject: counts(19, 19) }, { subject: null }];
    const all = run([...times(6, { subject: bad }), ...quiet, ...times(6, { subject: bad })]);
    expect(firstAt(all)).toBe(14);
    expect(firstAt(run(times(60, { subject: counts(19, 19) })))).toBe(0);
  });

  it('forget a breach that was last seen longer ago than its own time', () => {
    const all = run([...times(11, { subject: bad }), ...times(13, { subject: null }), { subject: bad }]);
    expect(firstAt(all)).toBe(0);
  });

  it('fire on a p99 above 5 s for five minutes, also when it lies beyond the last bucket', () => {
    const slow = { n: 1000, e: 0, b: [900, 950, 960] };
    expect(firstAt(run(times(30, { subject: slow })))).toBe(30);
    expect(firstAt(run(times(30, { subject: { n: 1000, e: 0, b: [900, 950] }, bounds: [1, 5] })))).toBe(30);
    expect(firstAt(run(times(40, { subject: counts(1000, 0, 9) })))).toBe(0);
  });

  it('count health failures and restarts within their time', () => {
    expect(firstAt(run(times(6, { healthFailures: 1 })))).toBe(4);
    expect(firstAt(run(times(60, { healthFailures: 1 }), { healthFailures: { above: 6, within: 60_000 } }))).toBe(0);
    const restarts = run([{ restarts: 4 }, ...times(28, {}), { restarts: 2 }, { restarts: 4 }]);
    expect(firstAt(restarts)).toBe(30);
    expect(restarts[30]).toMatchObject([{ trigger: 'restarts', value: 6, limit: 5 }]);
    expect(firstAt(run(times(10, { restarts: null, healthFailures: null })))).toBe(0);
  });

  it('hold instead of firing while stable breaches as well, unless the guard is off', () => {
    const both = times(12, { subject: bad, reference: bad });
    expect(run(both)[11]).toEqual([
      expect.objectContaining({ action: 'hold', explanation: expect.stringContaining('the release is not the cause') }),
    ]);
    expect(run(both, { sharedIncidentGuard: false })[11]?.[0]?.action).toBe('fire');
    expect(run(times(12, { subject: bad, reference: calm }))[11]?.[0]?.action).toBe('fire');
    expect(run(times(12, { subject: bad, reference: counts(3, 3) }))[11]?.[0]?.action).toBe('fire');
  });
});
