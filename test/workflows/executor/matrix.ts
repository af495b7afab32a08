/** The combinations of a matrix, in GitHub's order; `[{}]` without one. `exclude` goes before `include`. */
export function expandMatrix(matrix: unknown): Record<string, unknown>[] {
  if (matrix === undefined || matrix === null) return [{}];
  const { include, exclude, ...axes } = matrix as Record<string, unknown>;
  for (const [name, values] of Object.entries(axes)) {
    if (!Array.isArray(values) || values.length === 0) throw new Error(`matrix.${name} is not a list with at least one value`);
  }
  const combinations = Object.entries(axes as Record<string, unknown[]>).reduce<Record<string, unknown>[]>(
    (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    Object.keys(axes).length > 0 ? [{}] : [],
  );
  const kept = combinations.filter((row) => !list(exclude).some((pattern) => matches(row, pattern)));
  return addIncluded(kept, list(include), Object.keys(axes));
}

/**
 * Each `include` extends every combination whose own values it does not overwrite; one that fits none becomes a combination.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrixinclude
 */
function addIncluded(rows: Record<string, unknown>[], included: Record<string, unknown>[], axes: string[]): Record<string, unknown>[] {
  const extended = rows.map((row) => ({ ...row }));
  const added: Record<string, unknown>[] = [];
  for (const item of included) {
    const own = Object.fromEntries(Object.entries(item).filter(([name]) => axes.includes(name)));
    const fitting = extended.filter((row) => matches(row, own));
    for (const row of fitting) Object.assign(row, item);
    if (fitting.length === 0) added.push({ ...item });
  }
  return [...extended, ...added];
}

function matches(row: Record<string, unknown>, pattern: Record<string, unknown>): boolean {
  return Object.entries(pattern).every(([name, value]) => JSON.stringify(row[name]) === JSON.stringify(value));
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
}
