/** One release by one tool on the bed, with a namespace of its own. */
export interface Cell {
  tool: Tool;
  release: Release;
  /** `-r2`: a repeat; `window=5s,warm-up=2s` (ours only): other settings of the analysis than the stated ones. */
  variant: string;
  namespace: string;
}

export const peerTools = ['argo', 'flagger', 'source', 'plain'] as const;
export const ownTools = ['slipway', 'slipway-prometheus'] as const;
export type Tool = (typeof ownTools)[number] | (typeof peerTools)[number];

/** What is released, by name: the tag says what the bed's pods do. */
export const releases = {
  good: 'v2',
  errors5: 'v2-errors-5pct',
  'errors1.5': 'v2-errors-1.5pct',
  crash: 'v2-crash',
  slow3x: 'v2-slow-3x',
  late: 'v2-errors-10pct-after-60s',
  /** Errors 5 %, and the runner gets SIGKILL while 10 % of users meet it. */
  killed: 'v2-errors-5pct',
} as const;
export type Release = keyof typeof releases;

/** With more at a time the machine is what is measured. */
export const mostAtATime = 6;

/** `TOOL:RELEASE[:VARIANT]`. Throws an Error that says what is allowed. */
export function parseCell(text: string): Cell {
  const [tool = '', release = '', variant = ''] = text.split(':');
  if (![...ownTools, ...peerTools].some((each) => each === tool)) {
    throw new Error(`${text}: there is no tool "${tool}"; there are ${[...ownTools, ...peerTools].join(', ')}`);
  }
  if (!Object.hasOwn(releases, release))
    throw new Error(`${text}: there is no release "${release}"; there are ${Object.keys(releases).join(', ')}`);
  if (release === 'killed' && isPeer(tool)) throw new Error(`${text}: only our own runner is killed`);
  const namespace = `${tool}-${release}${variant}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
  return { tool: tool as Tool, release: release as Release, variant, namespace };
}

export function isPeer(tool: string): boolean {
  return peerTools.some((each) => each === tool);
}

/** Every release by every tool; those of one release are neighbours, and so meet the same machine. */
export function allCells(): Cell[] {
  const tools = ['slipway', ...peerTools];
  const common = Object.keys(releases).filter((release) => release !== 'killed');
  return [...common.flatMap((release) => tools.map((tool) => `${tool}:${release}`)), 'slipway:killed', 'slipway-prometheus:errors5'].map(
    parseCell,
  );
}

/** Cells in groups that run at a time. Ends a group with a release where it can. */
export function batches(cells: readonly Cell[]): Cell[][] {
  const groups: Cell[][] = [];
  for (const cell of cells) {
    const last = groups.at(-1);
    const next = cells.filter(({ release }) => release === cell.release).length;
    const fits = last && last.length < mostAtATime;
    const sameRelease = last?.at(-1)?.release === cell.release;
    if (last && fits && (sameRelease || last.length + next <= mostAtATime)) last.push(cell);
    else groups.push([cell]);
  }
  return groups;
}
