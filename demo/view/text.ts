import type { Evidence, TrackView } from '../recording.js';

export const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34 } as const;

/** Colours when `colour`, plain text otherwise. */
export function painter(colour: boolean): (style: keyof typeof styles, text: string) => string {
  return (style, text) => (colour ? `\x1b[${styles[style]}m${text}\x1b[0m` : text);
}

export function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `91/s, errors 0.0 %, p99 25 ms`. */
export function trackText({ perSecond, errorRate, p99 }: TrackView): string {
  return `${perSecond.toFixed(0).padStart(3)}/s  errors ${percent(errorRate).padStart(6)}  p99 ${p99 === undefined ? '–' : `${p99.toFixed(0)} ms`}`;
}

/**
 * How near the evidence is to its limit, from 0 to 1, by logarithm: evidence multiplies, so equal steps are equal amounts of it. 1 is the limit;
 * evidence of 1 or less says nothing against the release.
 */
export function nearness({ evidence, limit }: Evidence): number {
  if (!(evidence > 1) || !(limit > 1)) return 0;
  return Math.min(1, Math.log(evidence) / Math.log(limit));
}

/** The evidence that is nearest to its limit. */
export function strongest(evidence: readonly Evidence[]): Evidence | undefined {
  return [...evidence].sort((a, b) => nearness(b) - nearness(a))[0];
}

export function evidenceText({ metric, evidence, limit }: Evidence): string {
  return `${metric} ${short(evidence)} of ${short(limit)}`;
}

function short(value: number): string {
  return value >= 1e6 ? value.toExponential(1) : value.toPrecision(3).replace(/\.?0+$/, '');
}

/** `width` cells, `share` of them full. */
export function bar(share: number, width: number, full = '█', empty = '░'): string {
  const cells = Math.round(Math.max(0, Math.min(1, share)) * width);
  return full.repeat(cells) + empty.repeat(width - cells);
}

/** Cut to `width` characters; one line. */
export function fit(text: string, width: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
