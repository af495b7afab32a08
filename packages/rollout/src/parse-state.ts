import type { Phase, RolloutState } from './state.js';

const phases: Readonly<Record<Phase, true>> = {
  none: true,
  starting: true,
  progressing: true,
  promoting: true,
  promoted: true,
  aborting: true,
  aborted: true,
  undoing: true,
  undone: true,
};

/** Checks what the rules depend on in a state that somebody may have edited by hand; throws words that say what is wrong. */
export function parseState(value: unknown): RolloutState {
  const state = value as RolloutState;
  const demand = (holds: boolean, what: string) => {
    if (!holds) throw new Error(what);
  };
  demand(typeof state === 'object' && state !== null, 'it is not an object');
  demand(typeof state.id === 'string' && state.id !== '', '`id` is not a name');
  demand(Object.hasOwn(phases, state.phase), `\`phase\` is ${JSON.stringify(state.phase)}`);
  demand(state.kind === 'canary' || state.kind === 'rolling', `\`kind\` is ${JSON.stringify(state.kind)}`);
  demand(isWhole(state.generation) && isWhole(state.fencing), '`generation` or `fencing` is not a whole number');
  demand(typeof state.weight === 'number' && state.weight >= 0 && state.weight <= 100, `\`weight\` is ${JSON.stringify(state.weight)}`);
  demand(isWhole(state.replicas), '`replicas` is not a whole number');
  demand(typeof state.image?.from === 'string' && typeof state.image.to === 'string', '`image` does not have `from` and `to`');
  demand(Array.isArray(state.target?.steps) && typeof state.target.traffic?.router === 'string', '`target` is not complete');
  demand(Number.isSafeInteger(state.step) && state.step < state.target.steps.length, `\`step\` is ${JSON.stringify(state.step)}`);
  demand(state.stepStartedAt === null || !Number.isNaN(Date.parse(state.stepStartedAt)), '`stepStartedAt` is not a time');
  demand(state.split === undefined || Number.isFinite(state.split?.weight), '`split` has no `weight`');
  demand(Array.isArray(state.log), '`log` is not a list');
  return state;
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
