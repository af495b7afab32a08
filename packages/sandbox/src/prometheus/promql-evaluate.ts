import { type Bucket, bucketQuantile, extrapolatedIncrease } from './promql-functions.js';
import type { Expression, Matcher, Matching, Selector } from './promql-parse.js';
import type { Labels, Series, SeriesStore } from './series-store.js';

export interface Point {
  labels: Labels;
  value: number;
}

export type Value = { type: 'scalar'; value: number } | { type: 'vector'; points: Point[] } | { type: 'matrix'; series: Series[] };

/** A query that cannot be evaluated though it parses, e.g. a matching that is not one to one. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

/** How long the last sample of a series stands for it, milliseconds. */
const lookback = 300_000;

/** The value of an expression at one instant (milliseconds since the epoch). */
export function evaluate(expression: Expression, store: SeriesStore, time: number): Value {
  switch (expression.type) {
    case 'number':
      return { type: 'scalar', value: expression.value };
    case 'selector':
      return expression.range === undefined
        ? vector(instant(expression, store, time))
        : { type: 'matrix', series: ranges(expression, store, time) };
    case 'call':
      return call(expression, store, time);
    case 'aggregate':
      return vector(aggregate(expression, points(expression.of, store, time)));
    case 'negate':
      return mapValue(evaluate(expression.of, store, time), (value) => -value);
    case 'binary':
      return binary(expression, evaluate(expression.left, store, time), evaluate(expression.right, store, time));
  }
}

function vector(given: Point[]): Value {
  return { type: 'vector', points: given };
}

function points(expression: Expression, store: SeriesStore, time: number): Point[] {
  const value = evaluate(expression, store, time);
  return value.type === 'vector' ? value.points : [];
}

function scalar(expression: Expression, store: SeriesStore, time: number): number {
  const value = evaluate(expression, store, time);
  return value.type === 'scalar' ? value.value : Number.NaN;
}

function matchesAll(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const tests = matchers.map(({ label, operator, value }) => {
    const pattern = operator.includes('~') ? new RegExp(`^(?:${value})$`) : undefined;
    const fits = (text: string) => (pattern ? pattern.test(text) : text === value);
    return (labels: Labels) => fits(labels[label] ?? '') === !operator.startsWith('!');
  });
  return (labels) => tests.every((test) => test(labels));
}

function instant({ matchers, offset }: Selector, store: SeriesStore, time: number): Point[] {
  const at = time - offset;
  return store.select(matchesAll(matchers)).flatMap(({ labels, times, values }) => {
    const i = upperBound(times, at) - 1;
    const [sampled, value] = [times[i], values[i]];
    if (sampled === undefined || value === undefined || Number.isNaN(value) || sampled <= at - lookback) return [];
    return [{ labels, value }];
  });
}

function ranges({ matchers, range = 0, offset }: Selector, store: SeriesStore, time: number): Series[] {
  const end = time - offset;
  return store.select(matchesAll(matchers)).flatMap(({ labels, times, values }) => {
    const [from, to] = [upperBound(times, end - range), upperBound(times, end)];
    const kept = values.slice(from, to).map((value, i) => ({ time: times[from + i] as number, value }));
    const real = kept.filter(({ value }) => !Number.isNaN(value));
    return real.length > 0 ? [{ labels, times: real.map((one) => one.time), values: real.map((one) => one.value) }] : [];
  });
}

/** How many are at most `limit`. */
function upperBound(sorted: readonly number[], limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function call({ name, args }: Expression & { type: 'call' }, store: SeriesStore, time: number): Value {
  const [first, second] = args;
  if (name === 'time' || !first) return { type: 'scalar', value: time / 1000 };
  if (name === 'vector') return vector([{ labels: {}, value: scalar(first, store, time) }]);
  if (name === 'histogram_quantile') return vector(quantiles(scalar(first, store, time), second ? points(second, store, time) : []));
  const selector = first as Selector;
  const range = selector.range ?? 0;
  const end = time - selector.offset;
  const rates = ranges(selector, store, time).flatMap((series) => {
    const increase = extrapolatedIncrease(series, end - range, end);
    if (increase === undefined) return [];
    return [{ labels: without(series.labels, ['__name__']), value: name === 'rate' ? increase / (range / 1000) : increase }];
  });
  return vector(rates);
}

function quantiles(q: number, given: readonly Point[]): Point[] {
  const groups = new Map<string, { labels: Labels; buckets: Bucket[] }>();
  for (const { labels, value } of given) {
    const upper = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le ?? Number.NaN);
    if (Number.isNaN(upper)) continue;
    const rest = without(labels, ['le', '__name__']);
    const key = keyOf(rest);
    const group = groups.get(key) ?? { labels: rest, buckets: [] };
    groups.set(key, group);
    group.buckets.push({ upper, count: value });
  }
  return [...groups.values()].map(({ labels, buckets }) => ({ labels, value: bucketQuantile(q, buckets) }));
}

function aggregate({ name, mode, labels: names }: Expression & { type: 'aggregate' }, given: readonly Point[]): Point[] {
  const groups = new Map<string, { labels: Labels; values: number[] }>();
  for (const { labels, value } of given) {
    const group = mode === 'by' ? only(labels, names) : without(labels, ['__name__', ...names]);
    const key = keyOf(group);
    const entry = groups.get(key) ?? { labels: group, values: [] };
    groups.set(key, entry);
    entry.values.push(value);
  }
  const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const reduce = {
    sum: total,
    avg: (values: readonly number[]) => total(values) / values.length,
    min: (values: readonly number[]) => Math.min(...values),
    max: (values: readonly number[]) => Math.max(...values),
    count: (values: readonly number[]) => values.length,
  }[name];
  return [...groups.values()].map(({ labels, values }) => ({ labels, value: reduce(values) }));
}

const arithmetic: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};
const comparison: Record<string, (a: number, b: number) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};

function binary({ operator, matching }: Expression & { type: 'binary' }, left: Value, right: Value): Value {
  if (left.type === 'matrix' || right.type === 'matrix')
    throw new EvaluationError('binary expression must contain only scalar and instant vector types');
  const keyFor = (labels: Labels) =>
    keyOf(matching.mode === 'on' ? only(labels, matching.labels) : without(labels, ['__name__', ...matching.labels]));
  if (left.type === 'vector' && right.type === 'vector') {
    if (['and', 'or', 'unless'].includes(operator)) return vector(setOperation(operator, left.points, right.points, keyFor));
    return vector(matchOneToOne(operator, left.points, right.points, keyFor, matching));
  }
  if (left.type === 'scalar' && right.type === 'scalar') return { type: 'scalar', value: compute(operator, left.value, right.value) };
  const [given, constant] = left.type === 'vector' ? [left.points, right] : [right.type === 'vector' ? right.points : [], left];
  const other = constant.type === 'scalar' ? constant.value : Number.NaN;
  const sides = (value: number): [number, number] => (left.type === 'vector' ? [value, other] : [other, value]);
  return vector(given.flatMap((point) => apply(operator, point, ...sides(point.value), point.value)));
}

function setOperation(operator: string, left: Point[], right: Point[], keyFor: (labels: Labels) => string): Point[] {
  const onRight = new Set(right.map(({ labels }) => keyFor(labels)));
  const onLeft = new Set(left.map(({ labels }) => keyFor(labels)));
  if (operator === 'and') return left.filter(({ labels }) => onRight.has(keyFor(labels)));
  if (operator === 'unless') return left.filter(({ labels }) => !onRight.has(keyFor(labels)));
  return [...left, ...right.filter(({ labels }) => !onLeft.has(keyFor(labels)))];
}

function matchOneToOne(operator: string, left: Point[], right: Point[], keyFor: (labels: Labels) => string, matching: Matching): Point[] {
  const others = new Map<string, Point>();
  for (const point of right) {
    const key = keyFor(point.labels);
    if (others.has(key))
      throw new EvaluationError(
        'found duplicate series for the match group on the right hand-side of the operation; many-to-many matching not allowed: matching labels must be unique on one side',
      );
    others.set(key, point);
  }
  const seen = new Set<string>();
  return left.flatMap((point) => {
    const key = keyFor(point.labels);
    const other = others.get(key);
    if (!other) return [];
    if (seen.has(key))
      throw new EvaluationError('multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)');
    seen.add(key);
    const labels = matching.mode === 'on' ? only(point.labels, matching.labels) : without(point.labels, matching.labels);
    return apply(operator, { labels, value: point.value }, point.value, other.value, point.value);
  });
}

/** A comparison keeps the point or drops it, arithmetic changes it and drops the metric's name. */
function apply(operator: string, point: Point, a: number, b: number, kept: number): Point[] {
  const compare = comparison[operator];
  if (compare) return compare(a, b) ? [{ labels: point.labels, value: kept }] : [];
  return [{ labels: without(point.labels, ['__name__']), value: compute(operator, a, b) }];
}

function compute(operator: string, a: number, b: number): number {
  const result = arithmetic[operator]?.(a, b);
  if (result === undefined) throw new EvaluationError(`comparisons between scalars must use BOOL modifier`);
  return result;
}

function mapValue(value: Value, change: (value: number) => number): Value {
  if (value.type === 'scalar') return { type: 'scalar', value: change(value.value) };
  if (value.type === 'matrix') throw new EvaluationError('unary expression only allowed on expressions of type scalar or instant vector');
  return vector(value.points.map(({ labels, value: one }) => ({ labels: without(labels, ['__name__']), value: change(one) })));
}

function only(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name)));
}

function without(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
