import type { BackendRef } from './http-route.js';

/** A filter of an HTTPRoute rule; only RequestMirror is looked into. */
export interface Filter {
  type: string;
  requestMirror?: { backendRef: BackendRef; percent?: number; fraction?: { numerator: number; denominator?: number } };
  [field: string]: unknown;
}

/** Shares that are no whole percent are written as a fraction of this. */
const DENOMINATOR = 100_000;

export function isMirrorTo({ type, requestMirror }: Filter, service: string): boolean {
  return type === 'RequestMirror' && requestMirror?.backendRef?.name === service;
}

/** Percent of requests of which `service` gets a copy. Without a share all are mirrored. */
export function mirrorShare(filters: readonly Filter[] = [], service: string): number {
  const mirror = filters.find((filter) => isMirrorTo(filter, service))?.requestMirror;
  if (!mirror) return 0;
  const { percent, fraction } = mirror;
  if (percent !== undefined) return percent;
  return fraction ? (100 * fraction.numerator) / (fraction.denominator ?? 100) : 100;
}

/** A share as it can be written, and so read back: steps of slipway.yml are fractions, and 100 × 0.07 is 7.000000000000001. */
export function writable(percent: number): number {
  return Math.round((percent * DENOMINATOR) / 100) / (DENOMINATOR / 100);
}

/** The filters with one mirror to `backend` for `percent` of the requests, or without when 0; other filters as they are. Pure. */
export function withMirror(
  filters: readonly Filter[],
  { weight: _weight, filters: _own, ...backendRef }: BackendRef,
  percent: number,
): Filter[] {
  const others = filters.filter((filter) => !isMirrorTo(filter, backendRef.name as string));
  if (percent === 0) return others;
  const share = Number.isInteger(percent)
    ? { percent }
    : { fraction: { numerator: Math.round((percent * DENOMINATOR) / 100), denominator: DENOMINATOR } };
  return [...others, { type: 'RequestMirror', requestMirror: { backendRef: backendRef as BackendRef, ...share } }];
}
