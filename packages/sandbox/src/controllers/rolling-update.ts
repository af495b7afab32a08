/** A ReplicaSet as the rolling update counts it. */
export interface SetSize {
  replicas: number;
  available: number;
}

export interface Bounds {
  maxSurge: number;
  maxUnavailable: number;
}

/** Pods that may exist above and lack below `replicas`. Surge rounds up, unavailability down; both zero would never move. */
export function resolveBounds(replicas: number, strategy: { maxSurge?: unknown; maxUnavailable?: unknown } | undefined): Bounds {
  const maxSurge = resolve(strategy?.maxSurge ?? '25%', replicas, Math.ceil);
  const maxUnavailable = Math.min(resolve(strategy?.maxUnavailable ?? '25%', replicas, Math.floor), replicas);
  return maxSurge === 0 && maxUnavailable === 0 ? { maxSurge, maxUnavailable: 1 } : { maxSurge, maxUnavailable };
}

function resolve(value: unknown, replicas: number, round: (x: number) => number): number {
  if (typeof value === 'number') return value;
  return round((Number.parseInt(String(value), 10) / 100) * replicas);
}

/** Size of the new ReplicaSet in this pass (deployment_util.NewRSNewReplicas). */
export function nextNewSize(replicas: number, total: number, current: number, { maxSurge }: Bounds): number {
  if (current >= replicas) return replicas;
  const room = replicas + maxSurge - total;
  return room <= 0 ? current : current + Math.min(room, replicas - current);
}

/**
 * Sizes of the old ReplicaSets, oldest first, in this pass: replicas that do not serve go first, then as many as availability allows
 * (deployment controller, rolling.go).
 */
export function nextOldSizes(replicas: number, fresh: SetSize, old: readonly SetSize[], { maxUnavailable }: Bounds): number[] {
  const sizes = old.map((set) => set.replicas);
  const total = fresh.replicas + sizes.reduce((a, b) => a + b, 0);
  const minAvailable = replicas - maxUnavailable;
  let cleanable = total - minAvailable - (fresh.replicas - fresh.available);
  if (cleanable <= 0) return sizes;
  for (const [i, set] of old.entries()) {
    const unhealthy = Math.min(cleanable, Math.max(0, set.replicas - set.available));
    sizes[i] = set.replicas - unhealthy;
    cleanable -= unhealthy;
  }
  let spare = fresh.available + old.reduce((a, set) => a + set.available, 0) - minAvailable;
  for (const [i, size] of sizes.entries()) {
    if (spare <= 0) break;
    const down = Math.min(size, spare);
    sizes[i] = size - down;
    spare -= down;
  }
  return sizes;
}

/**
 * Shares a change of `replicas` in the midst of a rollout among the ReplicaSets by their sizes, the largest first (sync.go, scale).
 * `allowed` is the new total, surge included; the rest of rounding goes to the largest.
 */
export function proportionalSizes(sizes: readonly number[], allowed: number): number[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  let rest = allowed - total;
  if (total === 0 || rest === 0) return [...sizes];
  const order = sizes.map((size, i) => ({ size, i })).sort((a, b) => b.size - a.size);
  const next = [...sizes];
  const growing = rest > 0;
  for (const { size, i } of order) {
    const share = Math.round((size * allowed) / total) - size;
    const change = growing ? Math.min(Math.max(share, 0), rest) : Math.max(Math.min(share, 0), rest);
    next[i] = size + change;
    rest -= change;
  }
  const largest = order[0]?.i ?? 0;
  next[largest] = Math.max(0, (next[largest] ?? 0) + rest);
  return next;
}
