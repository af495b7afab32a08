/** Hides secrets in text, as the runner does: each value, and each line of a value of several lines, becomes `***`. */
export interface Masks {
  add(value: string): void;
  hide(text: string): string;
  /** Whether the text holds a secret: GitHub drops such outputs between jobs. */
  holds(text: string): boolean;
}

export function createMasks(secrets: readonly string[]): Masks {
  const values = new Set<string>();
  const masks: Masks = {
    add(value) {
      for (const line of [value, ...value.split(/\r?\n/)]) if (line.trim() !== '') values.add(line);
    },
    // Longest first: a secret inside another must not uncover the rest of it.
    hide: (text) => [...values].sort((a, b) => b.length - a.length).reduce((shown, value) => shown.replaceAll(value, '***'), text),
    holds: (text) => [...values].some((value) => text.includes(value)),
  };
  for (const secret of secrets) masks.add(secret);
  return masks;
}
