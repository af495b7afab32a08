import { describe, expect, it } from '@jest/globals';
import { type PrometheusConfig, type PrometheusPorts, prometheusSource } from '../src/index.js';

const now = 1_700_000_007_000;
const instant = 1_699_999_990;
const signal = new AbortController().signal;
const pods = [
  { id: 'shop-1', track: 'stable' as const, startedAt: 1_699_990_000_000 },
  { id: 'shop-canary-1', track: 'canary' as const },
];

type Result = { metric: Record<string, string>; value?: unknown; values?: unknown };
const vector = (result: Result[]) => ({ status: 'success', data: { resultType: 'vector', result } });
const value = (pod: string, text: unknown, labels: Record<string, string> = {}, at = instant) => ({
  metric: { pod, ...labels },
  value: [at, text],
});

const answers = () => ({
  requests: vector([value('shop-1', '900'), value('shop-canary-1', '100')]) as unknown,
  errors: vector([value('shop-1', '9')]) as unknown,
  buckets: vector(
    ['shop-1', 'shop-canary-1'].flatMap((pod) => [
      value(pod, '99', { le: '+Inf' }),
      value(pod, '80', { le: '1' }),
      value(pod, '50', { le: '0.5' }),
    ]),
  ) as unknown,
});

function source(
  given: Partial<ReturnType<typeof answers>> = {},
  config: Partial<PrometheusConfig> = {},
  ports: Partial<PrometheusPorts> = {},
) {
  const all = { ...answers(), ...given };
  const asked: { url: URL; headers: Readonly<Record<string, string>> }[] = [];
  const getJson = async (url: string, headers: Readonly<Record<string, string>>) => {
    asked.push({ url: new URL(url), headers });
    const query = new URL(url).searchParams.get('query') ?? '';
    return query.includes('_bucket') ? all.buckets : query.includes('5..') ? all.errors : all.requests;
  };
  const clock = { now: () => now, sleep: async () => {} };
  const made = prometheusSource(
    { url: 'http://prometheus:9090/base/', lag: 10_000, ...config },
    { clock, getJson, pods: async () => pods, ...ports },
    { window: 10 },
  );
  return { made, asked };
}

describe('Prometheus', () => {
  it('is asked for cumulative counters of exactly these pods at one aligned instant in the past', async () => {
    const { made, asked } = source({}, { selector: 'job="shop"' }, { auth: { bearer: 'secret' } });
    const sample = await made.sample(signal);
    expect(sample.problems).toEqual([]);
    expect(sample.at).toBe(instant * 1000);
    expect(sample.bounds).toEqual([0.5, 1]);
    expect(sample.series).toEqual([
      { id: 'shop-1', track: 'stable', startedAt: 1_699_990_000_000, counters: { n: 900, e: 9, b: [50, 80], timed: 99 } },
      { id: 'shop-canary-1', track: 'canary', counters: { n: 100, e: 0, b: [50, 80], timed: 99 } },
    ]);
    expect(asked.map(({ url }) => `${url.pathname} ${url.searchParams.get('time')}`)).toEqual(
      Array(3).fill(`/base/api/v1/query ${instant}`),
    );
    expect(asked.map(({ url }) => url.searchParams.get('query'))).toEqual([
      'sum by (pod) (http_requests_total{pod=~"shop-1|shop-canary-1",job="shop"})',
      'sum by (pod) (http_requests_total{pod=~"shop-1|shop-canary-1",job="shop",code=~"5.."})',
      'sum by (pod, le) (http_request_duration_seconds_bucket{pod=~"shop-1|shop-canary-1",job="shop"})',
    ]);
    expect(asked[0]?.headers).toEqual({ authorization: 'Bearer secret' });
  });

  it.each([
    [1_000, instant + 10],
    [17_000, instant],
    [18_000, instant - 10],
    [undefined, instant],
  ])('with a lag of %s ms is asked about the newest multiple of the window that is so old', async (lag, expected) => {
    const { asked, made } = source({}, { lag } as PrometheusConfig);
    await made.sample(signal);
    expect(asked[0]?.url.searchParams.get('time')).toBe(String(expected));
    const none = { status: 'success', data: { resultType: 'matrix', result: [] } };
    const past = source({ requests: none, errors: none, buckets: none }, { lag } as PrometheusConfig);
    await past.made.history?.(60, 10, signal);
    expect(past.asked[0]?.url.searchParams.get('end')).toBe(String(expected));
  });

  it('may want a user and a password', async () => {
    const { made, asked } = source({}, {}, { auth: { user: 'me', password: 'pass' } });
    await made.sample(signal);
    expect(asked[0]?.headers).toEqual({ authorization: 'Basic bWU6cGFzcw==' });
  });

  it.each<[string, Partial<ReturnType<typeof answers>>, RegExp, string[]]>([
    ['nothing', { requests: vector([]) }, /shop-1: Prometheus has no series of its requests/, []],
    ['nothing of one pod', { requests: vector([value('shop-1', '900')]) }, /shop-canary-1: .*no series of its requests/, ['shop-1']],
    ['NaN', { requests: vector([value('shop-1', 'NaN'), value('shop-canary-1', '1')]) }, /shop-1: requests is NaN/, ['shop-canary-1']],
    ['an infinity', { errors: vector([value('shop-1', '+Inf')]) }, /errors is Infinity/, ['shop-canary-1']],
    ['a negative count', { errors: vector([value('shop-1', '-3')]) }, /errors is -3/, ['shop-canary-1']],
    [
      'several series of a pod',
      { requests: vector([value('shop-1', '1'), value('shop-1', '2', { x: 'y' })]) },
      /2 series of its requests/,
      [],
    ],
    ['a point of the future', { requests: vector([value('shop-1', '1', {}, instant + 3600)]) }, /a clock is wrong/, []],
    [
      'buckets in the wrong order',
      { buckets: vector([value('shop-1', '5', { le: '+Inf' }), value('shop-1', '9', { le: '1' })]) },
      /not cumulative/,
      [],
    ],
    ['buckets without +Inf', { buckets: vector([value('shop-1', '5', { le: '1' })]) }, /no \+Inf/, []],
    [
      'pods of a third kind',
      { requests: vector([value('other', '1'), value('shop-1', '900'), value('shop-canary-1', '100')]) },
      /1 series of pods that are neither/,
      ['shop-1', 'shop-canary-1'],
    ],
  ])('answering %s is a problem, never zero', async (_, given, problem, used) => {
    const sample = await source(given).made.sample(signal);
    expect(sample.problems.join('; ')).toMatch(problem);
    expect(sample.series.map((series) => series.id)).toEqual(expect.arrayContaining(used));
    const affected = sample.problems.filter((text) => text.startsWith('shop')).map((text) => text.split(':')[0]);
    expect(sample.series.map((series) => series.id).filter((id) => affected.includes(id))).toEqual([]);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['an error', { status: 'error', errorType: 'bad_data', error: 'parse error' }, 'METRICS_QUERY_REFUSED', /bad_data: parse error/],
    ['HTML', '<html>Sign in</html>', 'METRICS_UNREADABLE', /not one of Prometheus.*Sign in/],
    ['null', null, 'METRICS_UNREADABLE', /expected a vector, got null/],
    ['a scalar', { status: 'success', data: { resultType: 'scalar', result: [1, '2'] } }, 'METRICS_UNREADABLE', /expected a vector/],
    ['a number instead of a string', vector([value('shop-1', 5)]), 'METRICS_UNREADABLE', /a point like/],
    ['a word', vector([value('shop-1', 'many')]), 'METRICS_UNREADABLE', /a value like "many"/],
    ['a series without labels', vector([{ metric: null as never, value: [1, '1'] }]), 'METRICS_UNREADABLE', /a series like/],
  ])('answering %s is refused with what it said', async (_, requests, reason, message) => {
    const sampled = source({ requests }).made.sample(signal);
    await expect(sampled).rejects.toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  it('without pods is not asked at all', async () => {
    const { made, asked } = source({}, {}, { pods: async () => [] });
    expect((await made.sample(signal)).problems).toEqual(['no pods to ask Prometheus about']);
    expect(asked).toEqual([]);
  });

  it("gives stable's past in disjoint windows, across a restart and a gap", async () => {
    const points = (...values: [number, number][]) => values.map(([at, count]) => [at, String(count)]);
    const matrix = (result: Result[]) => ({ status: 'success', data: { resultType: 'matrix', result } });
    const { made, asked } = source({
      requests: matrix([{ metric: { pod: 'shop-1' }, values: points([0, 100], [10, 150], [20, 220], [40, 300], [50, 20]) }]),
      errors: matrix([{ metric: { pod: 'shop-1' }, values: points([10, 1], [20, 3], [40, 3], [50, 2]) }]),
      buckets: matrix([
        { metric: { pod: 'shop-1', le: '1' }, values: points([0, 90], [10, 130], [20, 190], [40, 260], [50, 10]) },
        { metric: { pod: 'shop-1', le: '+Inf' }, values: points([0, 100], [10, 150], [20, 220], [40, 300], [50, 20]) },
      ]),
    });
    const past = await made.history?.(3600, 10, signal);
    expect(past).toEqual({
      bounds: [1],
      windows: [
        { n: 50, e: 1, b: [40], timed: 50 },
        { n: 70, e: 2, b: [60], timed: 70 },
        { n: 80, e: 0, b: [70], timed: 80 },
        { n: 20, e: 2, b: [10], timed: 20 },
      ],
    });
    const range = Object.fromEntries(asked[0]?.url.searchParams ?? []);
    expect(range).toMatchObject({
      start: String(instant - 3600),
      end: String(instant),
      step: '10',
      query: 'sum by (pod) (http_requests_total{pod=~"shop-1"})',
    });
  });
});
