import { OperationError } from '@slipway/core';

/** One series of an answer: its labels and its points, `[seconds, value]`. */
export interface PrometheusSeries {
  labels: Readonly<Record<string, string>>;
  points: readonly (readonly [seconds: number, value: number])[];
}

const mostSeries = 200_000;

/**
 * Checks an answer of Prometheus' HTTP API (`/api/v1/query`, `/api/v1/query_range`) and returns its series. Values come as strings; `NaN`
 * and infinities are kept for the caller to refuse per series. Throws OperationError: METRICS_QUERY_REFUSED with the server's own words,
 * METRICS_UNREADABLE when it is not such an answer at all (an HTML page, another API).
 */
export function readAnswer(answer: unknown, expected: 'vector' | 'matrix', query: string): PrometheusSeries[] {
  const { status, data, errorType, error } = asObject(answer) ?? {};
  if (status === 'error') {
    throw new OperationError(`Prometheus refused the query ${query}: ${String(errorType)}: ${String(error).slice(0, 500)}`, {
      reason: 'METRICS_QUERY_REFUSED',
      next: ['Try the query in the Prometheus console, then correct analysis.prometheus in slipway.yml.'],
    });
  }
  const { resultType, result } = asObject(data) ?? {};
  if (status !== 'success' || resultType !== expected || !Array.isArray(result)) {
    throw unreadable(query, `expected a ${expected}, got ${JSON.stringify(answer)?.slice(0, 200) ?? 'nothing'}`);
  }
  if (result.length > mostSeries) throw unreadable(query, `${result.length} series; narrow it with analysis.prometheus.selector`);
  return result.map((series) => readSeries(series, expected, query));
}

function readSeries(series: unknown, expected: 'vector' | 'matrix', query: string): PrometheusSeries {
  const { metric, value, values } = asObject(series) ?? {};
  const labels = asObject(metric);
  const points = expected === 'vector' ? [value] : values;
  if (!labels || !Array.isArray(points)) throw unreadable(query, `a series like ${JSON.stringify(series)?.slice(0, 200)}`);
  const texts = Object.entries(labels).map(([name, label]) => [name, String(label)] as const);
  return { labels: Object.assign(Object.create(null), Object.fromEntries(texts)), points: points.map((point) => readPoint(point, query)) };
}

function readPoint(point: unknown, query: string): [number, number] {
  if (
    !Array.isArray(point) ||
    point.length !== 2 ||
    typeof point[0] !== 'number' ||
    !Number.isFinite(point[0]) ||
    typeof point[1] !== 'string'
  ) {
    throw unreadable(query, `a point like ${JSON.stringify(point)?.slice(0, 100)}`);
  }
  return [point[0], readValue(point[1], query)];
}

function readValue(text: string, query: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return Number(text);
  if (/^[+-]?Inf$/.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (text === 'NaN') return Number.NaN;
  throw unreadable(query, `a value like ${JSON.stringify(text.slice(0, 100))}`);
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

function unreadable(query: string, what: string): OperationError {
  return new OperationError(`The answer to the query ${query} is not one of Prometheus: ${what}`, {
    reason: 'METRICS_UNREADABLE',
    next: ['Check analysis.prometheus.url in slipway.yml: it must lead to Prometheus itself, not to a login page or another service.'],
  });
}
