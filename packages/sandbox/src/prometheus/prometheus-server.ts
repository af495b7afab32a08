import type { ServerResponse } from 'node:http';
import { LoopbackServer, type ReceivedRequest, sendJson, sendText } from '../server/loopback-server.js';
import { EvaluationError, evaluate, type Value } from './promql-evaluate.js';
import { parseQuery, typeOf } from './promql-parse.js';
import { durationOf, QueryError } from './promql-tokens.js';
import type { Labels, SeriesStore } from './series-store.js';

/** The query API of Prometheus (api/v1): query, query_range, labels and label values, over GET or a posted form. */
export function startPrometheusServer(series: SeriesStore, port = 0): Promise<LoopbackServer> {
  const errorBody = (code: number) => ({ status: 'error', errorType: code === 503 ? 'timeout' : 'internal', error: `injected ${code}` });
  return LoopbackServer.start((request, response) => serve(series, request, response), { port, errorBody });
}

/** Answered with `bad_data`. */
class BadParameter extends Error {}

function serve(series: SeriesStore, request: ReceivedRequest, response: ServerResponse): void {
  const { pathname } = request.url;
  const isForm = request.method === 'POST' && request.headers['content-type']?.includes('form-urlencoded');
  const query = isForm ? new URLSearchParams(request.body.toString()) : request.url.searchParams;
  if (/^\/-\/(ready|healthy)$/.test(pathname)) return sendText(response, 200, 'Prometheus Server is Ready.\n');
  try {
    const data = answer(series, pathname, query);
    if (data === undefined) return sendText(response, 404, '404 page not found\n');
    sendJson(response, 200, { status: 'success', data });
  } catch (error) {
    if (error instanceof EvaluationError) return sendJson(response, 422, { status: 'error', errorType: 'execution', error: error.message });
    if (!(error instanceof QueryError) && !(error instanceof BadParameter)) throw error;
    const text = error instanceof QueryError ? `invalid parameter "query": ${error.message}` : error.message;
    sendJson(response, 400, { status: 'error', errorType: 'bad_data', error: text });
  }
}

function answer(series: SeriesStore, pathname: string, query: URLSearchParams): unknown {
  switch (pathname) {
    case '/api/v1/query':
      return instantQuery(series, query);
    case '/api/v1/query_range':
      return rangeQuery(series, query);
    case '/api/v1/labels':
      return series.labelNames();
    case '/api/v1/status/buildinfo':
      return { version: '3.0.0-sandbox' };
  }
  const label = /^\/api\/v1\/label\/([^/]+)\/values$/.exec(pathname)?.[1];
  return label ? series.labelValues(label) : undefined;
}

function instantQuery(series: SeriesStore, query: URLSearchParams): object {
  const expression = parseQuery(query.get('query') ?? '');
  const time = readTime(query, 'time', Date.now());
  return present(evaluate(expression, series, time), time);
}

function rangeQuery(series: SeriesStore, query: URLSearchParams): object {
  const expression = parseQuery(query.get('query') ?? '');
  const [start, end] = [readTime(query, 'start'), readTime(query, 'end')];
  const step = readStep(query.get('step'));
  if (end < start) throw new BadParameter('invalid parameter "end": end timestamp must not be before start time');
  if ((end - start) / step > 11_000) {
    throw new BadParameter('exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)');
  }
  if (typeOf(expression) === 'm')
    throw new BadParameter(
      'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    );
  const rows = new Map<string, { metric: Labels; values: [number, string][] }>();
  for (let time = start; time <= end; time += step) {
    const value = evaluate(expression, series, time);
    const points = value.type === 'vector' ? value.points : value.type === 'scalar' ? [{ labels: {}, value: value.value }] : [];
    for (const { labels, value: one } of points) {
      const key = JSON.stringify(labels);
      const row = rows.get(key) ?? { metric: labels, values: [] };
      rows.set(key, row);
      row.values.push([time / 1000, format(one)]);
    }
  }
  return { resultType: 'matrix', result: [...rows.values()] };
}

function present(value: Value, time: number): object {
  const at = time / 1000;
  switch (value.type) {
    case 'scalar':
      return { resultType: 'scalar', result: [at, format(value.value)] };
    case 'vector':
      return { resultType: 'vector', result: value.points.map(({ labels, value: one }) => ({ metric: labels, value: [at, format(one)] })) };
    case 'matrix': {
      const result = value.series.map(({ labels, times, values }) => ({
        metric: labels,
        values: times.map((when, i) => [when / 1000, format(values[i] as number)]),
      }));
      return { resultType: 'matrix', result };
    }
  }
}

function format(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Unix seconds or RFC 3339, to milliseconds. */
function readTime(query: URLSearchParams, name: string, absent?: number): number {
  const text = query.get(name);
  if (text === null || text === '') {
    if (absent !== undefined) return absent;
    throw new BadParameter(`invalid parameter "${name}": cannot parse "" to a valid timestamp`);
  }
  const time = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(time)) throw new BadParameter(`invalid parameter "${name}": cannot parse "${text}" to a valid timestamp`);
  return time;
}

function readStep(text: string | null): number {
  const step = /^\d+(\.\d+)?$/.test(text ?? '')
    ? Number(text) * 1000
    : /^(\d+(ms|[smhdwy]))+$/.test(text ?? '')
      ? durationOf(text as string)
      : Number.NaN;
  if (Number.isNaN(step)) throw new BadParameter(`invalid parameter "step": cannot parse "${text ?? ''}" to a valid duration`);
  if (step <= 0)
    throw new BadParameter(
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  return step;
}
