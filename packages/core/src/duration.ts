const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const pattern = /^(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;

/** What parseDuration accepts, for messages. */
export const durationForm = 'a number with its unit: 500ms, 90s, 5m, 1h30m or 2d';

/**
 * Milliseconds of a duration such as `90s`, `5m`, `1h30m`, `500ms`, `1.5h`, `0`; undefined when `text` is none. A bare number has no unit
 * and is none (but for 0), and so is everything longer than ten years.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = text.length > 0 && text.length <= 40 ? pattern.exec(text) : null;
  if (!match) return undefined;
  const total = Object.values(units).reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * unit, 0);
  return total <= 3650 * units.d ? Math.round(total) : undefined;
}

/** `90000` as `1m30s`, `500` as `500ms`, `0` as `0s`; milliseconds are left out from ten seconds on. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 0) return `-${formatDuration(-milliseconds)}`;
  let rest = milliseconds >= 10_000 ? Math.round(milliseconds / 1000) * 1000 : Math.round(milliseconds);
  let text = '';
  for (const [unit, size] of Object.entries(units)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text || '0s';
}
