import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@slipway/cluster';
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

function measure(counters: Counters, weight: number, forbidden?: string) {
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
  return { kube, words: measureSplit(bench, stable, canary, weight), seconds: () => (clock.at - began) / 1000 };
}

const steady =
  (perSecond: number, before = 1000) =>
  (t: number) =>
    before + perSecond * t;

describe('measureSplit', () => {
  it('agrees as soon as enough requests were counted', async () => {
    const { words, seconds } = measure({ s1: steady(45), s2: steady(45), c1: steady(10, 0) }, 10);
    expect(await words).toBe('measured: 10 of 100 requests');
    expect(seconds()).toBe(1);
  });

  it('takes a canary that has not counted anything yet for one without requests, until it has', async () => {
    const { words, seconds } = measure({ s1: steady(90), c1: (t) => (t < 4 ? undefined : 10 * (t - 3)) }, 10);
    expect(await words).toBe('measured: 10 of 100 requests');
    expect(seconds()).toBe(4);
  });

  it('does not hold against the route what came before it was in force everywhere', async () => {
    const { words, seconds } = measure(
      { s1: (t) => 100 * Math.min(t, 6) + 90 * Math.max(0, t - 6), c1: (t) => 10 * Math.max(0, t - 6) },
      10,
    );
    expect(await words).toBe('measured: 10 of 100 requests');
    expect(seconds()).toBe(7);
  });

  it('leaves out the second in which a counter began anew', async () => {
    const { words } = measure({ s1: (t) => (t < 2 ? 1000 + 30 * t : 30 * (t - 2)), c1: steady(3) }, 10);
    expect(await words).toMatch(/^measured: \d+ of \d+ requests$/);
  });

  it('says so where too few requests come to tell', async () => {
    const { words, seconds } = measure({ s1: steady(2), c1: steady(0, 0) }, 10);
    expect(await words).toBe('not measured: 0 of 20 requests in 10 s are too few to tell');
    expect(seconds()).toBe(10);
  });

  it.each([
    ['many', 1000, 30],
    ['some', 20, 32],
  ])('fails when %s requests come and none of them meets the canary', async (_, perSecond, after) => {
    const { words, seconds } = measure({ s1: steady(perSecond), c1: steady(0, 0) }, 10);
    await expect(words).rejects.toMatchObject({
      reason: 'WEIGHT_NOT_IN_FORCE',
      message: expect.stringMatching(/but in the last \d s 0 of \d+/),
    });
    expect(seconds()).toBe(after);
  });

  it('fails when the canary gets twice and more of what it should', async () => {
    const { words } = measure({ s1: steady(75), c1: steady(25, 0) }, 10);
    await expect(words).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE' });
  });

  it('lets a split pass that is near, and tells it', async () => {
    const { words, seconds } = measure({ s1: steady(860), c1: steady(140, 0) }, 10);
    expect(await words).toBe('measured: 140 of 1000 requests, which is not quite 10 %');
    expect(seconds()).toBe(30);
  });

  it('at 100 % nobody may be left behind but a stray request', async () => {
    expect(await measure({ s1: steady(0), c1: steady(50) }, 100).words).toBe('measured: 50 of 50 requests');
    await expect(measure({ s1: steady(40), c1: steady(10) }, 100).words).rejects.toMatchObject({ reason: 'WEIGHT_NOT_IN_FORCE' });
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
