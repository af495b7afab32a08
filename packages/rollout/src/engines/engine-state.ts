import { randomBytes } from 'node:crypto';
import { type EngineEnd, type EngineKind, type EngineMemory, type EngineView, endOf } from '@slipway/cluster';
import type { RolloutDeps } from '../deps.js';
import type { RolloutRecord } from '../rollout-record.js';
import type { RolloutState } from '../state.js';
import type { StepConfig } from '../target.js';

/** What the state keeps of a rollout that a controller drives. */
export interface EngineRecord {
  kind: EngineKind;
  /** The controller's mark before the last change: while it is the same, the change was not acted on. */
  before: string;
  /** The controller's step that the command in progress leaves; -1: it begins. */
  from: number;
  /** The steps that are left are skipped. */
  full: boolean;
  /** What a promotion overwrote in the controller's object; null: nothing yet. */
  memory: EngineMemory | null;
}

/** The state of a rollout that a controller drives. */
export type EngineState = RolloutState & { engine: EngineRecord };

export interface Beginning {
  kind: 'canary' | 'rolling';
  image: string;
  version: string | null;
}

/** How long a step is watched when neither the controller nor slipway.yml says, milliseconds. */
const WATCHED = 300_000;

/** The state of a rollout that begins now; the controller's steps take the place of slipway.yml's. */
export function initialEngineState(begin: Beginning, view: EngineView, deps: RolloutDeps): EngineState {
  const { target, configHash, context } = deps;
  const now = new Date(context.clock.now()).toISOString();
  const steps = stepsFrom(view, target.steps);
  return {
    schema: 1,
    id: `${target.workload}-${now.replace(/[-:]|\.\d+/g, '')}-${randomBytes(2).toString('hex')}`,
    kind: begin.kind,
    generation: 0,
    fencing: 0,
    phase: begin.kind === 'canary' ? 'starting' : 'promoting',
    step: -1,
    weight: 0,
    intent: null,
    image: { from: view.image.stable ?? view.image.desired, to: begin.image },
    version: begin.version,
    replicas: view.replicas,
    revision: { from: view.revision, to: null },
    snapshot: null,
    traffic: null,
    evidence: null,
    target: { ...target, steps },
    configHash,
    runUrl: context.runUrl ?? null,
    stepBy: context.holder,
    startedAt: now,
    stepStartedAt: null,
    finishedAt: null,
    ended: null,
    log: [],
    engine: { kind: view.engine, before: view.mark, from: -1, full: begin.kind === 'rolling', memory: null },
  };
}

/** The controller's weights; how long each is watched is the controller's pause, or slipway.yml's step of the same place. Pure. */
export function stepsFrom({ steps }: Pick<EngineView, 'steps'>, configured: readonly StepConfig[]): StepConfig[] {
  const given = steps.length > 0 ? steps : [{ weight: 0, pause: undefined }];
  return given.map(({ weight, pause }, index) => {
    const own = configured[Math.min(index, configured.length - 1)];
    const duration = pause || own?.duration || WATCHED;
    return { weight, duration, ...(own?.maxErrorRate === undefined ? {} : { maxErrorRate: own.maxErrorRate }) };
  });
}

/** Whether the controller has acted on what this rollout changed last. Pure. */
export function isSeen(state: EngineState, view: EngineView): boolean {
  const rests = view.standing === 'stable' || view.standing === 'aborted';
  return view.standing !== 'unseen' && view.standing !== 'unready' && !(rests && view.mark === state.engine.before);
}

/** How the update ended, once it was seen to begin. Pure. */
export function endSeen(state: EngineState, view: EngineView): EngineEnd {
  // Before the image is set, the former version serves because nothing has begun.
  const begun = view.image.desired === state.image.to || state.phase !== 'starting';
  return begun && isSeen(state, view) ? endOf(view, state.image.to) : undefined;
}

/** The state with the step that the controller has in force. Pure. */
export function atStep(state: EngineState, view: EngineView, now: string): EngineState {
  const last = state.target.steps.length - 1;
  const same = state.phase === 'progressing' && state.stepStartedAt !== null && state.step === Math.min(view.step, last);
  return {
    ...state,
    phase: 'progressing',
    intent: null,
    step: Math.max(0, Math.min(view.step, last)),
    weight: view.weight,
    stepStartedAt: same ? state.stepStartedAt : now,
  };
}

/** Writes down a change before it is made. */
export async function intend(
  record: RolloutRecord,
  state: EngineState,
  change: string,
  to: Record<string, unknown> = {},
): Promise<EngineState> {
  const words = Object.entries(to).map(([key, value]) => `${key} ${value}`);
  return write(record, { ...state, intent: { change, to, at: record.now() } }, [change, ...words].join(' '));
}

/** {@link RolloutRecord.write}, for a state that knows its engine. */
export async function write(record: RolloutRecord, next: EngineState, what?: string): Promise<EngineState> {
  return (await record.write(next, what)) as EngineState;
}
