import { missed } from './limits.js';
import type { CellResult } from './result.js';

/** One row per cell, cells of one release together. */
export function markdownTable(cells: readonly CellResult[]): string {
  const head = ['release', 'tool', 'failed', 'bad s', 'wall s', 'ended right', 'API (writes)', 'machine', 'limits'];
  const releases = [...new Set(cells.map(({ release }) => release))];
  const rows = releases.flatMap((release) => cells.filter((cell) => cell.release === release).map(row));
  return [head, head.map(() => '---'), ...rows].map((each) => `| ${each.join(' | ')} |`).join('\n');
}

function row(cell: CellResult): string[] {
  const { tool, variant, release, failed, own, badSeconds, wallSeconds, right, requests, loaded, notSent } = cell;
  const machine = [loaded ? 'loaded' : 'quiet', ...(notSent > 0 ? [`${notSent} not sent`] : [])].join(', ');
  return [
    release,
    variant ? `${tool} ${variant}` : tool,
    own > 0 ? `${failed} (${own})` : String(failed),
    badSeconds === null ? '–' : String(badSeconds),
    wallSeconds.toFixed(1),
    right ? 'yes' : '**no**',
    requests ? `${requests.all} (${requests.writes})` : '',
    machine,
    tool.startsWith('slipway') ? missed(cell).join('; ') || 'kept' : '',
  ];
}
