import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, shop, startSandbox } from '../src/index.js';
import { evaluate } from '../src/prometheus/promql-evaluate.js';
import { bucketQuantile, extrapolatedIncrease } from '../src/prometheus/promql-functions.js';
import { parseQuery } from '../src/prometheus/promql-parse.js';
import { SeriesStore } from '../src/prometheus/series-store.js';

/** One series with a sample every 10 s from t = 10 s on. */
function counter(...values: number[]): SeriesStore {
  const store = new SeriesStore();
  for (const [i, value] of values.entries()) store.append('c', () => ({ __name__: 'c', job: 'a' }), (i + 1) * 10_000, value);
  return store;
}

function value(store: SeriesStore, query: string, seconds: number): number[] {
  const result = evaluate(parseQuery(query), store, seconds * 1000);
  return result.type === 'vector' ? result.points.map((point) => point.value) : result.type === 'scalar' ? [result.value] : [];
}

describe('rates, by the rules of Prometheus', () => {
  it('extrapolates to the ends of the range', () => {
    // Samples at 10 … 60 s, 10 apart; (0, 60]: 10 s to the start is within 1.1 intervals, and zero lies exactly there.
    expect(extrapolatedIncrease({ times: [10_000, 20_000, 30_000], values: [10, 20, 30] }, 0, 30_000)).toBeCloseTo(30);
    // Far from the start only half an interval is added.
    expect(extrapolatedIncrease({ times: [40_000, 50_000, 60_000], values: [100, 110, 120] }, 0, 60_000)).toBeCloseTo(25);
    // Never below zero: the counter was 1 at 40 s, so it began at most 1 earlier.
    expect(extrapolatedIncrease({ times: [40_000, 50_000], values: [1, 11] }, 35_000, 50_000)).toBeCloseTo(11);
  });

  it('adds what a reset lost, and says nothing of one sample', () => {
    expect(extrapolatedIncrease({ times: [10_000, 20_000, 30_000], values: [100, 5, 15] }, 9_000, 30_000)).toBeCloseTo(
      (15 - 100 + 100) * (21 / 20),
    );
    expect(extrapolatedIncrease({ times: [10_000], values: [1] }, 0, 30_000)).toBeUndefined();
    expect(value(counter(1, 2, 3), 'rate(c[15s])', 30)[0]).toBeCloseTo(0.1);
    expect(value(counter(1, 2, 3), 'rate(c[5s])', 30)).toEqual([]);
  });
});

describe('quantiles of buckets', () => {
  it('interpolates within the bucket', () => {
    const buckets = [
      { upper: 1, count: 10 },
      { upper: 2, count: 30 },
      { upper: Number.POSITIVE_INFINITY, count: 40 },
    ];
    expect(bucketQuantile(0.5, buckets)).toBeCloseTo(1.5);
    expect(bucketQuantile(0.1, buckets)).toBeCloseTo(0.4);
    expect(bucketQuantile(0.99, buckets)).toBe(2);
    expect(bucketQuantile(0.5, buckets.slice(0, 2))).toBeNaN();
    expect(
      bucketQuantile(
        0.5,
        buckets.map(({ upper }) => ({ upper, count: 0 })),
      ),
    ).toBeNaN();
  });
});

describe('expressions', () => {
  const store = new SeriesStore();
  for (const [pod, code, n] of [
    ['a', '200', 90],
    ['a', '500', 10],
    ['b', '200', 50],
  ] as const) {
    store.append(`${pod}${code}`, () => ({ __name__: 'r', pod, code }), 60_000, n);
  }
  const at = (query: string) => value(store, query, 60);

  it.each([
    ['sum(r)', [150]],
    ['sum by (pod) (r)', [100, 50]],
    ['sum(r) by (pod)', [100, 50]],
    ['sum without (code) (r)', [100, 50]],
    ['count(r{code=~"5.."})', [1]],
    ['sum(r{code!~"5..",pod!="b"})', [90]],
    ['sum(r{code=~"5.."}) / sum(r)', [10 / 150]],
    ['sum by (pod) (r{code="500"}) / sum by (pod) (r)', [0.1]],
    ['sum(r{code="404"}) or vector(0)', [0]],
    ['sum(r{code="404"})', []],
    ['r{code="404"}', []],
    ['1 - 2 * 3 + 4 / 2', [-3]],
    ['r > 60', [90]],
    ['r and r{pod="b"}', [50]],
    ['r unless r{pod="a"}', [50]],
    ['r{code="200"} / on (pod) sum by (pod) (r)', [0.9, 1]],
    ['-sum(r)', [-150]],
  ])('%s', (query, expected) => expect(at(query)).toEqual(expected));

  it.each([
    ['', '1:1: parse error: unexpected end of input'],
    ['sum(r', 'expected ")"'],
    ['rate(r)', 'expected type range vector in call to function "rate", got instant vector'],
    ['predict_linear(r[5m], 3600)', 'unknown function with name "predict_linear"'],
    ['r{code=~"("}', 'error parsing regexp'],
    ['{}', 'vector selector must contain at least one non-empty matcher'],
    ['r{code="200"', 'parse error'],
    ['sum(r[5m])', 'expected type instant vector in aggregation expression, got range vector'],
    ['r ! r', 'unexpected character'],
  ])('refuses %j', (query, message) => expect(() => parseQuery(query)).toThrow(message));

  it('forgets a series that has gone', () => {
    const gone = counter(1, 2, 3);
    expect(value(gone, 'c', 35)).toEqual([3]);
    gone.markStale('c', 40_000);
    expect(value(gone, 'c', 41)).toEqual([]);
    expect(value(counter(1), 'c', 10 + 301)).toEqual([]);
  });
});

describe('the server', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ seed: 2, readyDelay: 50 });
    await shop(sandbox, {
      replicas: 2,
      rps: 100,
      router: 'replicas',
      namespaces: ['shop'],
      image: 'registry.example/shop:v1-errors-50pct',
    });
    await new Promise((resolve) => setTimeout(resolve, 4200));
  });
  afterAll(() => sandbox.stop());

  const ask = async (path: string, params: Record<string, string>) => {
    const answer = await fetch(`${sandbox.prometheusUrl}${path}?${new URLSearchParams(params)}`);
    // biome-ignore lint/suspicious/noExplicitAny: answers of many kinds
    return { status: answer.status, body: (await answer.json()) as any };
  };

  it("answers with pods' labels and the rates that users meet", async () => {
    const selector = '{namespace="shop",app="shop",version="v1-errors-50pct"}';
    const { body } = await ask('/api/v1/query', { query: `sum(rate(http_requests_total${selector}[3s]))` });
    expect(body.data.resultType).toBe('vector');
    expect(Number(body.data.result[0].value[1])).toBeGreaterThan(80);
    expect(Number(body.data.result[0].value[1])).toBeLessThan(120);
    const errors = await ask('/api/v1/query', {
      query: `sum(rate(http_requests_total{code=~"5.."}[3s])) / sum(rate(http_requests_total[3s]))`,
    });
    expect(Math.abs(Number(errors.body.data.result[0].value[1]) - 0.5)).toBeLessThan(0.2);
    const p50 = await ask('/api/v1/query', {
      query: 'histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket[3s])))',
    });
    expect(Number(p50.body.data.result[0].value[1])).toBeGreaterThan(0.006);
    expect(Number(p50.body.data.result[0].value[1])).toBeLessThan(0.016);
    const up = await ask('/api/v1/query', { query: 'sum by (pod) (up)' });
    expect(up.body.data.result.map((one: { metric: { pod: string } }) => one.metric.pod).sort()).toEqual(
      sandbox.list('Pod', 'shop').map((pod) => pod.metadata.name),
    );
  });

  it('answers ranges', async () => {
    const now = Date.now() / 1000;
    const params = { query: 'sum(http_requests_total)', start: String(now - 3), end: String(now), step: '1s' };
    const { body } = await ask('/api/v1/query_range', params);
    const values = body.data.result[0].values.map(([, text]: [number, string]) => Number(text));
    expect(values.length).toBe(4);
    expect(values).toEqual([...values].sort((a: number, b: number) => a - b));
  });

  it('refuses as Prometheus does', async () => {
    const bad = await ask('/api/v1/query', { query: 'sum(' });
    expect(bad.status).toBe(400);
    expect(bad.body).toMatchObject({
      status: 'error',
      errorType: 'bad_data',
      error: expect.stringMatching(/^invalid parameter "query": 1:5: parse error:/),
    });
    expect((await ask('/api/v1/query_range', { query: 'up', start: '1', end: '2', step: '0' })).body.errorType).toBe('bad_data');
    const many = await ask('/api/v1/query', { query: 'http_requests_total / on (namespace) http_requests_total' });
    expect([many.status, many.body.errorType]).toEqual([422, 'execution']);
    expect((await ask('/api/v1/query', { query: 'nothing' })).body.data.result).toEqual([]);
  });
});
