import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type PodPage, podMetricsSource, samplePods } from '../src/index.js';
import { parseExposition } from '../src/sources/exposition.js';

const page = `# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200",method="GET",path="/"} 90
http_requests_total{code="404",method="GET",path="/x"} 4 1700000000000
http_requests_total{code="503",method="GET",path="/"} 6
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{path="/",le="0.1"} 60
http_request_duration_seconds_bucket{path="/x",le="0.1"} 5
http_request_duration_seconds_bucket{path="/",le="1"} 90
http_request_duration_seconds_bucket{path="/x",le="1"} 9
http_request_duration_seconds_bucket{path="/",le="+Inf"} 91
http_request_duration_seconds_bucket{path="/x",le="+Inf"} 9
http_request_duration_seconds_sum 12.5
process_start_time_seconds 1.7e+09
go_gc_pauses NaN
`;
const pod = (text: string, more: Partial<PodPage> = {}): PodPage => ({ id: 'p', track: 'canary', text, ...more });

describe('metrics pages of pods', () => {
  it('become counters: 5xx are errors, buckets are added up over their other labels', () => {
    expect(samplePods([pod(page, { readyAt: 5 })], 7)).toEqual({
      at: 7,
      bounds: [0.1, 1],
      series: [{ id: 'p', track: 'canary', startedAt: 1.7e12, readyAt: 5, counters: { n: 100, e: 6, b: [65, 99], timed: 100 } }],
      problems: [],
    });
  });

  it('of a pod that was never asked are zero, in the buckets of the others', () => {
    const idle = pod('# TYPE http_requests_total counter\n', { id: 'idle', startedAt: 3 });
    expect(samplePods([pod(page), idle], 7).series[1]).toEqual({
      id: 'idle',
      track: 'canary',
      startedAt: 3,
      counters: { n: 0, e: 0, b: [0, 0] },
    });
  });

  it.each<[string, PodPage, RegExp]>([
    ['could not be had', { id: 'p', track: 'canary', error: '503 from the proxy' }, /^p: 503 from the proxy$/],
    ['is HTML', pod('<!doctype html>\n<html></html>'), /line 1: expected a metric, found "<!doctype html>"/],
    ['has no such counter', pod('up 1\n'), /no counter http_requests_total/],
    ['has a counter without codes', pod('http_requests_total 5\n'), /no label code, status, status_code/],
    ['has NaN', pod(page.replace(' 90\n', ' NaN\n')), /http_requests_total is NaN/],
    ['has an infinite bucket', pod(page.replace(' 60\n', ' +Inf\n')), /_bucket is Infinity/],
    ['has a negative counter', pod(page.replace(' 90\n', ' -1\n')), /is -1/],
    ['has a word for a value', pod(page.replace(' 90\n', ' many\n')), /line 3: http_requests_total has no number as its value/],
    ['has buckets that fall', pod(page.replace(' 60\n', ' 99\n').replace('le="0.1"} 5', 'le="0.1"} 50')), /not cumulative/],
    ['lost +Inf', pod(page.replaceAll('+Inf', '5')), /no \+Inf bucket/],
    ['has series with different buckets', pod(page.replace('path="/x",le="0.1"', 'path="/x",le="0.2"')), /different buckets/],
    ['has labels that do not end', pod('http_requests_total{code="200" 5\n'), /labels that do not end/],
    ['has an open quote', pod('http_requests_total{code="200 5\n'), /without its closing quote/],
    ['has an endless line', pod(`http_requests_total{code="${'2'.repeat(200_000)}"} 5\n`), /longer than 100000/],
  ])('that %s is a problem, never zero', (_, bad, problem) => {
    const sample = samplePods([bad, pod(page, { id: 'good', track: 'stable' })], 7);
    expect(sample.series.map((series) => series.id)).toEqual(['good']);
    expect(sample.problems).toEqual([expect.stringMatching(problem)]);
  });

  it('with other buckets than most pods are left out', () => {
    const other = pod(page.replaceAll('le="0.1"', 'le="0.3"'), { id: 'odd' });
    const sample = samplePods([other, pod(page, { id: 'a' }), pod(page, { id: 'b' })], 7);
    expect(sample.series.map((series) => series.id)).toEqual(['a', 'b']);
    expect(sample.problems[0]).toMatch(/^odd: its latency buckets \[0.3,1\] differ from the other pods' \[0.1,1\]/);
  });

  it('may use other names', () => {
    const text = 'rq_total{answer="500"} 2\nrq_total{answer="200"} 3\n';
    expect(samplePods([pod(text)], 7, { requests: 'rq_total', codeLabel: 'answer' }).series[0]?.counters).toMatchObject({ n: 5, e: 2 });
  });

  it('come through the port at the time of the clock', async () => {
    const clock = { now: () => 42, sleep: async () => {} };
    const source = podMetricsSource(async () => [pod(page)], clock);
    expect(await source.sample(new AbortController().signal)).toMatchObject({ at: 42, bounds: [0.1, 1] });
  });
});

describe('exposition format', () => {
  it('gives back every label that was written, whatever it holds', () => {
    const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    const text = fc.string({ maxLength: 20 }).map((value) => value.replaceAll('\r', ''));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), fc.double({ noNaN: true, min: 0, max: 1e15 }), (values, number) => {
        const line = `m{${values.map((value, i) => `l${i}="${escaped(value)}"`).join(',')}} ${number}\n`;
        const [sample] = parseExposition(line, () => true).samples;
        expect(sample?.value).toBe(number);
        expect(Object.values(sample?.labels ?? {})).toEqual(values);
      }),
    );
  });

  it('never hangs or crashes in another way than its own error', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('m', '{', '}', '"', '\\', ',', '=', ' ', '1', '\n', '#', '.', 'e', '+'), maxLength: 60 }),
        (text) => {
          try {
            parseExposition(text, () => true);
          } catch (error) {
            expect((error as { reason?: string }).reason).toBe('METRICS_UNREADABLE');
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is read in time linear in its length', () => {
    const long = `m{a="${'\\\\'.repeat(40_000)}"} 1\n`.repeat(20);
    const began = performance.now();
    parseExposition(long, () => true);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('keeps labels with names of object properties, and skips OpenMetrics exemplars', () => {
    const { samples } = parseExposition('m{__proto__="x",constructor="y"} 3 # {trace="a"} 0.5 1700\n', () => true);
    expect(samples[0]?.value).toBe(3);
    expect(Object.entries(samples[0]?.labels ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});
