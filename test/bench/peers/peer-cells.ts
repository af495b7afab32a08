import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TallyView } from '@slipway/sandbox';
import { unansweredRequests } from '@slipway/sandbox';
import type { Cell } from './cells.js';
import type { CellResult } from './result.js';

/** What the peers' bench writes per cell. */
interface PeerResult {
  failed: number;
  newRequests: number;
  newFailed: number;
  kinds: TallyView;
  badSeconds: number | 'never' | null;
  wall: number;
  said: CellResult['said'];
  final: string[];
  right: boolean;
  start: number;
  ended: number;
  dropped: number;
  controlP99: number;
  loaded: boolean;
  failedBefore: number;
}

/** Runs the peers' own bench on these cells, which it does at the same time, and reads its results back. A cell without result is left out. */
export async function releaseByPeers(folder: string, cells: readonly Cell[]): Promise<CellResult[]> {
  if (cells.length === 0) return [];
  const out = mkdtempSync(join(tmpdir(), 'slipway-peers-'));
  const words = cells.map(({ tool, release, variant }) => [tool, release, ...(variant ? [variant] : [])].join(':'));
  const code = await new Promise((done, reject) => {
    const child = spawn('python3', [join(folder, 'bench.py'), out, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', reject);
    child.on('close', done);
  });
  if (code !== 0) console.log(`The peers' bench ended with ${code}; what it measured before is used.`);
  return cells.flatMap((cell) => {
    const file = join(out, `${cell.tool}-${cell.release}${cell.variant}`.replaceAll('.', '-').concat('.json'));
    if (existsSync(file)) return [fromPeer(cell, JSON.parse(readFileSync(file, 'utf8')) as PeerResult)];
    console.log(`${cell.tool}:${cell.release} left no result; see ${file.replace(/json$/, 'log')}`);
    return [];
  });
}

function fromPeer(cell: Cell, { kinds, wall, dropped, ...peer }: PeerResult): CellResult {
  const own = unansweredRequests({ ...kinds, resets: kinds.resets ?? 0, noRoute: kinds.noRoute ?? 0 });
  const words = { cell: `${cell.tool}:${cell.release}${cell.variant ? `:${cell.variant}` : ''}`, commands: [], log: [] };
  return { ...cell, ...words, ...peer, own, wallSeconds: wall, notSent: dropped, lastNew: null };
}
