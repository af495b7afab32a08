/** One disturbance of one command, and what was not right after it; nothing: all was. */
export interface Point {
  /** E.g. `good canary: promote at request 7 (PATCH deployments/shop)`. */
  what: string;
  problems: readonly string[];
  /** How the disturbed command itself ended, for the table. */
  ended?: string;
  /** Milliseconds until users were safe, where that is measured. */
  milliseconds?: number;
}

/** Work that needs a world of its own and shows one or several points. */
export interface Cell {
  /** Row of the table. */
  group: string;
  name: string;
  run(): Promise<readonly Point[]>;
}

/** Runs cells, `inFlight` at a time; one that throws is a point that failed. `told` hears of every cell that has ended. */
export async function runCells(
  cells: readonly Cell[],
  inFlight: number,
  told: (cell: Cell, points: readonly Point[], seconds: number) => void = () => undefined,
): Promise<Map<string, Point[]>> {
  const byGroup = new Map<string, Point[]>(cells.map(({ group }) => [group, []]));
  const waiting = [...cells];
  const worker = async () => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const began = performance.now();
      const points = await pointsOf(cell);
      byGroup.get(cell.group)?.push(...points);
      told(cell, points, (performance.now() - began) / 1000);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return byGroup;
}

async function pointsOf(cell: Cell): Promise<readonly Point[]> {
  try {
    return await cell.run();
  } catch (error) {
    return [{ what: cell.name, problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)] }];
  }
}

/** `amount` of the items, spread evenly over all; all of them when there are no more. */
export function sample<T>(items: readonly T[], amount: number): T[] {
  if (amount >= items.length) return [...items];
  return Array.from({ length: amount }, (_, index) => items[Math.floor(((index + 0.5) * items.length) / amount)] as T);
}
