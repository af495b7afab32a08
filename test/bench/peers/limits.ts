import type { Release } from './cells.js';
import type { CellResult } from './result.js';

interface Limit {
  failed?: number;
  badSeconds?: number;
  wallSeconds?: number;
}

/** What a release by us must keep to, at 100 requests a second and 10 replicas. */
const limits: Readonly<Record<Release, Limit>> = {
  good: { failed: 0 },
  errors5: { failed: 12, badSeconds: 10 },
  'errors1.5': { failed: 14 },
  crash: { failed: 0, wallSeconds: 15 },
  slow3x: {},
  late: { failed: 45 },
  killed: {},
};

/** What a cell of ours missed, in words; empty: nothing. Peers have no limits. */
export function missed(cell: CellResult): string[] {
  if (!cell.tool.startsWith('slipway')) return [];
  const limit = limits[cell.release];
  const over = (['failed', 'badSeconds', 'wallSeconds'] as const).flatMap((what) => {
    const value = cell[what];
    const most = limit[what];
    const isOver = most !== undefined && (value === 'never' || (value ?? 0) > most);
    return isOver ? [`${what} ${typeof value === 'number' ? Number(value.toFixed(1)) : value}, limit ${most}`] : [];
  });
  const own = cell.own > 0 ? [`${cell.own} requests failed by our own hand`] : [];
  return [...over, ...own, ...(cell.right ? [] : [`did not end right: ${cell.said}, ${cell.final.join(' and ') || 'nothing'} serves`])];
}
