/** What every suffix of a quantity multiplies by (k8s.io/apimachinery, pkg/api/resource). */
const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const form = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)$/;

/** The number that a quantity stands for: `250m` is 0.25, `1Gi` 1073741824. Undefined for what is none. */
export function parseQuantity(quantity: unknown): number | undefined {
  const [, digits, exponent = '', suffix = ''] = form.exec(String(quantity ?? '')) ?? [];
  return digits === undefined ? undefined : Number(digits + exponent) * (factors[suffix] as number);
}

/** The shortest exact form: `600m`, `2`, `3Gi`. `binary` quantities (memory) keep powers of two. */
export function formatQuantity(value: number, binary: boolean): string {
  if (value !== 0 && !Number.isInteger(value)) return `${Math.round(value * 1000)}m`;
  const suffixes = binary ? ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] : ['E', 'P', 'T', 'G', 'M', 'k'];
  const fitting = value === 0 ? undefined : suffixes.find((suffix) => Number.isInteger(value / (factors[suffix] as number)));
  return fitting ? `${value / (factors[fitting] as number)}${fitting}` : String(value);
}
