import { describe, expect, it } from '@jest/globals';
import type { KubeObject, Routing } from '@slipway/cluster';
import { memoryKube, refusal } from '../../cluster/test/memory-kube.js';
import { deployment } from '../../cluster/test/objects.js';
import type { Bench } from '../src/act.js';
import { measureSplit } from '../src/measure-split.js';
import { deps, instantClock, namespace } from './shop.js';

const stable = deployment('shop', { namespace }) as KubeObject;
const canary = deployment('shop-canary', { namespace, labels: { app: 'shop', track: 'canary' } }) as KubeObject;

function pod(name: string, track: string, phase = 'Running') {
  const containers = [{ name: 'web', ports: [{ containerPort: 8080 }] }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'shop', track } },
    spec: { containers },
    status: { phase },
  };
}

/** Requests that a pod has served `t` seconds after the measurement began; undefined: it has no counters yet. */
type Counters = Record<string, (t: number) => number | undefined>;

function measure(counters: Counters, weight: number, forbidden?: string, besides: Partial<Routing> = {}) {
  const kube = memoryKube(...Object.keys(counters).map((name) => pod(name, name.startsWith('c') ? 'canary' : 'stable')));
  kube.before = ({ verb }) => {
    if (verb === forbidden) throw refusal('FORBIDDEN', 403, `${verb} pods`);
    return undefined;
  };
  const clock = instantClock();
  const began = clock.at;
  kube.proxy = async (_namespace, name) => {
    const count = counters[name]?.((clock.at - began) / 1000);
    return count === undefined ? '# nothing served yet\n' : `http_requests_total{code="200"} ${count}\n`;
  };
  const made = deps(kube);
  const bench = { deps: { ...made, context: { ...made.context, clock } }, client: kube, signal: made.context.signal } as unknown as Bench;
  return {
    kube,
    words: measureSplit(bench, stable, canary, { weight, mirror: 0, match: false, ...besides }),
    seconds: () => (clock.at - began) / 1000,
  };
}

const steady =
  (perSecond: number, before = 1000) =>
  (t: number) =>
    before + perSecond * t;

describe('measureSplit', () => {
  it('agrees as soon as enough requests were counted', async () => {
    const { words, seconds } = measure({ s1: steady(45), s2: steady(45), c1: steady(10, 0) }, 10);
    expect(await words).toBe('measured: 20 of 200 requests');
    expect(seconds()).toBe(2);
  });

  it('takes a canary that has not counted anything yet for one without requests, until it has', async () => {
    const { words, seconds } = measure({ s1: steady(90), c1: (t) => (t < 4 ? undefined : 10 * (t - 3)) }, 10);
    expect(await words).toBe('measured: 20 of 200 requests');
    expect(seconds()).toBe(5);
  });

  it('does not hold against the route what came before it was in force everywhere', async () => {
    const { words, seconds } = measure(
      { s1: (t) => 100 * Math.min(t, 6) + 90 * Math.max(0, t - 6), c1: (t) => 10 * Math.max(0, t - 6) },
      10,
    );
    expect(await words).toBe('measured: 20 of 200 requests');
    expect(seconds()).toBe(8);
  });

  it('leaves out the second in which a counter began anew', async () => {
    const { words } = measure({ s1: (t) => (t < 2 ? 1000 + 30 * t : 30 * (t - 2)), c1: steady(3) }, 10);
    expect(await words).toMatch(/^measured: \d+ of \d+ requests$/);
  });

  it('looks on when a second looks a little wrong, because the route came into force in its middle', async () => {
    const { words, seconds } = measure({ s1: (t) => 90 * t + 5 * Math.min(t, 1), c1: (t) => 10 * t - 5 * Math.min(t, 1) }, 20);
    expect(await words).toMatch(/^measured: \d+ of \d+ requests/);
    expect(seconds()).toBeGreaterThan(2);
  });

  it('says so where too few requests come to tell', async () => {
    const { words, seconds } = measure({ s1: steady(2), c1: steady(0, 0) }, 10);
    expect(await words).toBe('not measured: 0 of 20 requests in 10 s are too few to tell');
    expect(seconds()).toBe(10);
  });

  it.each([
    ['many', 1000, 30],
    ['some', 20, 30],
  ])('fails when %s requests come and none of them meets the canary', async (_, perSecond, after) => {
    const { words, seconds } = measure({ s1: steady(perSecond), c1: steady(0, 0) }, 10);
    await expect(words).rejects.toMatchObject({
      reason: 'WEIGHT_NOT_IN_FORCE',
      message: expect.stringMatching(/but in the last 10 s 0 of \d+/),
    });
    expect(seconds()).toBe(after);
  });

  it.each([
    ['more than it should, by probes or scrapes that are counted, too', { s1: steady(750), c1: steady(250, 0) }, 10, '2500 of 10000'],
    ['almost nothing at 1 %', { s1: steady(999), c1: steady(1, 0) }, 1, '10 of 10000'],
    ['less than everything at 100 %, from clients that keep their connection', { s1: steady(40), c1: steady(10) }, 100, '100 of 500'],
  ])('lets a canary pass that gets %s, and tells it', async (_, counters, weight, words) => {
    const measured = measure(counters, weight);
    expect(await measured.words).toBe(`measured: ${words} requests, which is not ${weight} %`);
    expect(measured.seconds()).toBe(30);
  });

  it('takes copies and those whom a header leads there for what comes on top', async () => {
    const counters = { s1: steady(90), c1: steady(60, 0) };
    expect(await measure(counters, 10, undefined, { mirror: 50 }).words).toBe('measured: 120 of 300 requests');
    expect(await measure(counters, 10, undefined, { match: true }).words).toBe('measured: 120 of 300 requests');
  });

  it('at 100 % agrees when stable gets nothing any more', async () => {
    expect(await measure({ s1: steady(0), c1: steady(50) }, 100).words).toBe('measured: 100 of 100 requests');
  });

  it('does not measure where pods may not be asked, say nothing, or cannot be listed', async () => {
    const forbidden = measure({ s1: steady(90), c1: steady(10) }, 10);
    forbidden.kube.proxy = async () => {
      throw refusal('FORBIDDEN', 403, 'pods/proxy');
    };
    expect(await forbidden.words).toBe('not measured: the pods do not tell how many requests they serve');
    expect(await measure({ s1: () => undefined, c1: () => undefined }, 10).words).toMatch(/^not measured: the pods do not tell/);
    expect(await measure({ s1: steady(90) }, 10).words).toMatch(/^not measured: the pods of a track/);
    expect(await measure({ s1: steady(90), c1: steady(10) }, 10, 'list').words).toMatch(
      /^not measured: the pods of a track cannot be listed/,
    );
  });

  it('does not ask more than 30 pods of a track', async () => {
    const many = Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`s${index}`, steady(3)]));
    const { kube, words } = measure({ ...many, c1: steady(10) }, 10);
    expect(await words).toBe('not measured: the pods of a track cannot be listed, or are more than 30');
    expect(kube.requests).toEqual({ list: 2 });
  });
});
