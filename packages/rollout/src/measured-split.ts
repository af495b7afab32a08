import type { RolloutState } from './state.js';

/** Percent of users that meet the new version, as it was read back; where nothing was read back, as it was asked for. */
export function measuredWeight({ phase, weight, split }: RolloutState): number {
  return phase === 'progressing' ? (split?.weight ?? weight) : weight;
}

/** `10 %`, or `about 20 % (10 % was asked)` where whole pods do not make the weight that was asked for. */
export function weightWords(state: RolloutState): string {
  const measured = Math.round(measuredWeight(state));
  return measured === state.weight ? `${state.weight} %` : `about ${measured} % (${state.weight} % was asked)`;
}
