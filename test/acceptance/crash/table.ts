import type { Point } from './points.js';

/** What was shown, a row for each kind of disturbance. */
export function tableOf(groups: ReadonlyMap<string, readonly Point[]>): string {
  const rows = [...groups].map(([group, points]) => {
    const failed = points.filter(({ problems }) => problems.length > 0).length;
    return `| ${group} | ${points.length} | ${failed} | ${endsOf(points)} |`;
  });
  return ['| disturbed by | points | wrong | how the disturbed command ended |', '|---|---|---|---|', ...rows].join('\n');
}

/** `17 went on, 2 failed: API_UNAVAILABLE`; for cancellations how soon users were safe. */
function endsOf(points: readonly Point[]): string {
  const times = points.flatMap(({ milliseconds }) => (milliseconds === undefined ? [] : [milliseconds])).sort((a, b) => a - b);
  if (times.length > 0)
    return `users safe: median ${Math.round(times[times.length >> 1] ?? 0)} ms, longest ${Math.round(times.at(-1) ?? 0)} ms`;
  const ends = new Map<string, number>();
  for (const { ended } of points) if (ended) ends.set(ended, (ends.get(ended) ?? 0) + 1);
  return [...ends].map(([end, count]) => `${count} ${end}`).join(', ');
}
