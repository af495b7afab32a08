import type { Tally } from '../counts.js';

/** `0.5 %`, with as many digits as matter. */
export function percent(fraction: number): string {
  return `${Number((fraction * 100).toPrecision(3))} %`;
}

/** `34 of 612 (5.56 %)`. */
export function tallyText({ n, e }: Tally): string {
  return n > 0 ? `${round(e)} of ${round(n)} (${percent(e / n)})` : 'none of 0';
}

function round(count: number): number {
  return Math.round(count);
}
