import type { RouteSnapshot } from '@slipway/cluster';
import type { Phase, RolloutState } from './state.js';
import type { RolloutTarget } from './target.js';

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

/**
 * Checks what the rules depend on in a state that somebody may have edited by hand; throws words that say what is wrong. A state as the first release
 * wrote it is completed, so that what it began can be ended.
 */
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
  const complete = { ...state, target: completeTarget(state.target), traffic: completeSnapshot(state.traffic) };
  const { target, traffic } = complete;
  demand(target.traffic.router !== 'istio' || isNames(target.traffic.virtualServices), '`target` names no VirtualService');
  demand(times(target).every(isAmount), '`target` has a duration or a limit that is not a number');
  demand(traffic?.router !== 'istio' || Array.isArray(traffic.virtualServices), '`traffic` has no `virtualServices`');
  return complete;
}

/** What the first release did not know, as it behaved: splits were not measured, nothing was delayed. */
const before = {
  strategy: 'canary',
  engine: 'native',
  splitCheck: 'objects',
  scaleDownDelay: 0,
  abortScaleDownDelay: 0,
  rollbackWindow: 0,
  maxSnapshots: 5,
} as const satisfies Partial<RolloutTarget>;

/** A target of the first release had one VirtualService, by its name. */
function completeTarget(target: RolloutTarget): RolloutTarget {
  const traffic = { ...target.traffic, gitopsIgnoresWeights: target.traffic.gitopsIgnoresWeights ?? false };
  if (traffic.router !== 'istio') return { ...before, ...target, traffic };
  const { virtualService, ...rest } = traffic as typeof traffic & { virtualService?: string };
  const virtualServices = rest.virtualServices ?? [virtualService];
  return { ...before, ...target, traffic: { ...rest, protocol: rest.protocol ?? 'http', virtualServices } };
}

/** So had a snapshot of the router's objects. */
function completeSnapshot(traffic: RolloutState['traffic']): RolloutState['traffic'] {
  if (traffic?.router !== 'istio' || traffic.virtualServices !== undefined) return traffic;
  const { virtualService: name, route } = traffic as { virtualService?: string; route?: RouteSnapshot };
  return name === undefined || route === undefined ? traffic : { router: 'istio', virtualServices: [{ name, route }] };
}

function times({ drain, scaleDownDelay, abortScaleDownDelay, readyTimeout, rollbackWindow, maxSnapshots }: RolloutTarget): unknown[] {
  return [drain, scaleDownDelay, abortScaleDownDelay, readyTimeout, rollbackWindow, maxSnapshots];
}

function isAmount(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0;
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && each !== '');
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
