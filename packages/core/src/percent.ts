const decimal = /^(\d+(?:\.\d+)?(?:e-?\d{1,3})?)(\s*%)?$/i;

/** What parsePercent accepts, for messages. */
export const percentForm = 'a percentage such as 0.5%, or a fraction below 1 such as 0.005';

/**
 * The fraction that `0.5%` or `0.005` stands for; undefined when `text` is neither. Bare numbers from 1 on are refused: a person who writes
 * `5` means 5 %, a program 500 %, and neither must be guessed.
 */
export function parsePercent(text: string): number | undefined {
  const match = decimal.exec(text);
  if (!match) return undefined;
  const value = Number(match[1]);
  if (match[2] === undefined) return value < 1 ? value : undefined;
  // Parsed again with the exponent moved, so that 0.07% is 0.0007 and not 0.0007000000000000001.
  const [digits, exponent = '0'] = (match[1] ?? '').toLowerCase().split('e');
  const fraction = Number(`${digits}e${Number(exponent) - 2}`);
  return Number.isFinite(fraction) ? fraction : undefined;
}

/** `0.005` as `0.5%`: at most three significant digits below 1 %, two decimals above. */
export function formatPercent(fraction: number): string {
  const percent = fraction * 100;
  const rounded = Math.abs(percent) < 1 ? Number(percent.toPrecision(3)) : Number(percent.toFixed(2));
  return `${rounded}%`;
}
