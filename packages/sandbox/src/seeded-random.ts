/** A reproducible source of randomness: the same seed and name give the same sequence. */
export class SeededRandom {
  private state: number;

  constructor(seed: number, name = '') {
    this.state = fnv1a(`${seed}/${name}`);
  }

  /** Uniform in [0, 1). Mulberry32 (T. Ettinger, public domain): 32 bits of state, good enough for traffic. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** A name suffix of the API server's alphabet, without vowels and look-alikes. */
  suffix(length: number): string {
    return Array.from({ length }, () => safeAlphabet[Math.floor(this.next() * safeAlphabet.length)]).join('');
  }
}

/** Letters of generated names (k8s.io/apimachinery, pkg/util/rand). */
export const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** 32-bit FNV-1a. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
