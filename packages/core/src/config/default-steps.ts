import type { StepSettings, Strategy } from './config.js';

const MINUTE = 60_000;
const plain = { mirror: 0, match: false, pause: false } as const;

/** The steps of a strategy when slipway.yml names none. */
export function defaultSteps(strategy: Strategy): StepSettings[] {
  switch (strategy) {
    case 'canary':
      return [
        { ...plain, weight: 10, duration: 5 * MINUTE, maxErrorRate: 0.01 },
        { ...plain, weight: 50, duration: 10 * MINUTE, maxErrorRate: 0.005 },
      ];
    case 'blue-green':
      // First the preview, which no user meets; then everybody, while the former version waits to be switched back to.
      return [
        { ...plain, weight: 0, duration: MINUTE },
        { ...plain, weight: 100, duration: 5 * MINUTE, maxErrorRate: 0.01 },
      ];
    case 'shadow':
      return [{ ...plain, weight: 0, mirror: 0.1, duration: 5 * MINUTE }];
    case 'rolling':
      return [];
  }
}
