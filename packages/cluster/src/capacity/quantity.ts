/**
 * An amount in billionths: the finest that Kubernetes keeps (k8s.io/apimachinery, pkg/api/resource/quantity.go; finer ones are rounded up),
 * so that sums and comparisons are exact.
 */
export type Nano = bigint;

export const ONE: Nano = 1_000_000_000n;

const BINARY: Record<string, bigint> = { Ki: 1n << 10n, Mi: 1n << 20n, Gi: 1n << 30n, Ti: 1n << 40n, Pi: 1n << 50n, Ei: 1n << 60n };
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const GRAMMAR = /^([+-]?)(\d{0,30})(?:\.(\d{0,30}))?(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d{1,2}))?$/;

/** `100m`, `0.5`, `2Gi`, `1e3`, `12E` …; undefined when it is no quantity. Pure. */
export function parseQuantity(value: unknown): Nano | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  const match = typeof text === 'string' ? GRAMMAR.exec(text) : null;
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction) * (BINARY[suffix] ?? 1n);
  const nano = shifted(digits, 9 + (DECIMAL[suffix] ?? Number(exponent ?? 0)) - fraction.length);
  return sign === '-' ? -nano : nano;
}

/** In the words of a manifest: bytes as `512Mi` when they are whole, others as `3`, `1500m` … Pure. */
export function formatQuantity(nano: Nano, resource: string): string {
  if (nano < 0n) return `-${formatQuantity(-nano, resource)}`;
  if (nano % ONE === 0n) return /memory|storage|hugepages/.test(resource) ? bytes(nano / ONE) : String(nano / ONE);
  if (nano % 1_000_000n === 0n) return `${nano / 1_000_000n}m`;
  return nano % 1000n === 0n ? `${nano / 1000n}u` : `${nano}n`;
}

function bytes(count: bigint): string {
  const unit = Object.entries(BINARY).findLast(([, size]) => count > 0n && count % size === 0n);
  return unit ? `${count / unit[1]}${unit[0]}` : String(count);
}

/** `digits` times ten to the `power`, rounded up. */
function shifted(digits: bigint, power: number): bigint {
  if (power >= 0) return digits * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (digits + divisor - 1n) / divisor;
}
