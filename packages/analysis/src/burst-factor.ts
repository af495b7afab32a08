import type { Tally } from './counts.js';

/** Above this a burst factor says no more than "these counts are useless". */
const highest = 100;
/** Expected events per block, the usual condition for Pearson's X². */
const blockSize = 5;
/** With fewer degrees of freedom the statistic says nothing. */
const fewestDegrees = 3;

/**
 * How many events come together (retries, a crash loop): the exponent 1/φ tempers every likelihood ratio, which is exact for events in
 * Poisson clusters of at most φ (e-process.ts). Estimated from windows of stable: adjacent windows are joined to blocks of at least
 * 5 expected events, X² = Σ (e − p̂n)² / (p̂n) over the blocks; φ = 1 unless X² lies above the 99 % point of χ², and then its upper 95 %
 * confidence limit X² / χ²₀.₀₅. Too few events to say: `unknown`.
 */
export function burstFactor(windows: readonly Tally[], unknown = 1): number {
  const n = windows.reduce((sum, window) => sum + window.n, 0);
  const e = windows.reduce((sum, window) => sum + window.e, 0);
  if (n <= 0 || e <= 0) return unknown;
  const rate = e / n;
  const blocks = joinToBlocks(windows, blockSize / rate);
  const degrees = blocks.length - 1;
  if (degrees < fewestDegrees) return unknown;
  const statistic = blocks.reduce((sum, block) => sum + (block.e - rate * block.n) ** 2 / (rate * block.n), 0);
  if (statistic <= chiSquareQuantile(2.326, degrees)) return 1;
  return Math.min(highest, Math.max(1, statistic / chiSquareQuantile(-1.645, degrees)));
}

/** Joins adjacent windows, equally many each, to at most `most`. */
export function joinWindows(windows: readonly Tally[], most: number): Tally[] {
  const size = Math.max(1, Math.ceil(windows.length / most));
  const joined: Tally[] = [];
  windows.forEach(({ n, e }, i) => {
    const last = joined.at(-1);
    if (last && i % size !== 0) joined[joined.length - 1] = { n: last.n + n, e: last.e + e };
    else joined.push({ n, e });
  });
  return joined;
}

function joinToBlocks(windows: readonly Tally[], requests: number): Tally[] {
  const blocks: Tally[] = [];
  let block = { n: 0, e: 0 };
  for (const window of windows) {
    block = { n: block.n + window.n, e: block.e + window.e };
    if (block.n >= requests) {
      blocks.push(block);
      block = { n: 0, e: 0 };
    }
  }
  const last = blocks.at(-1);
  if (block.n > 0 && last) blocks[blocks.length - 1] = { n: last.n + block.n, e: last.e + block.e };
  return blocks;
}

/** χ² quantile for a standard normal quantile z (Wilson & Hilferty, PNAS 17, 1931): within 8 % from three degrees of freedom on. */
export function chiSquareQuantile(z: number, degrees: number): number {
  const variance = 2 / (9 * degrees);
  return degrees * (1 - variance + z * Math.sqrt(variance)) ** 3;
}
