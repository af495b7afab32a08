import { describe, expect, it } from '@jest/globals';
import { accept } from '../src/accept.js';
import type { Circumstances, Command } from '../src/command.js';
import type { Phase, RolloutState } from '../src/state.js';
import { target, v1, v2 } from './shop.js';
import { now, state } from './states.js';

const v3 = 'registry.example/shop:v3';
const at: Circumstances = { stableImage: v1, recentImages: [], inForce: true, configHash: 'frozen', holder: 'acme/shop/77/1/later', now };
const commands = {
  start: { kind: 'start', image: v2, version: null },
  'start v3': { kind: 'start', image: v3, version: null },
  step: { kind: 'step' },
  promote: { kind: 'promote', version: null },
  'promote v3': { kind: 'promote', image: v3, version: null },
  abort: { kind: 'abort', reason: 'ABORTED', summary: 'by hand.' },
  'roll back': { kind: 'roll-back', reason: 'ROLLED_BACK', summary: 'errors.' },
} as const satisfies Record<string, Command>;

function answer(command: Command, where: RolloutState | undefined, circumstances: Partial<Circumstances> = {}): string {
  const acceptance = accept(command, where, target(), { ...at, ...circumstances });
  switch (acceptance.kind) {
    case 'end':
      return `${acceptance.verdict.outcome} ${acceptance.verdict.reason}`;
    case 'begin':
      return `begin ${acceptance.rollout}`;
    case 'finish':
      return 'finish the way back';
    case 'go':
      return `${acceptance.state.phase} step ${acceptance.state.step} at ${acceptance.state.weight} %`;
  }
}

/** Where a rollout may stand; `released`: what stable runs there. */
const places: Record<string, { where: RolloutState | undefined; released?: string }> = {
  nothing: { where: undefined },
  'starting, cut off': { where: state('starting') },
  'at 10 %': { where: state('progressing') },
  'at 50 %': { where: state('progressing', { step: 1, weight: 50 }) },
  'to 50 %, cut off': { where: state('progressing', { step: 1, weight: 50, stepStartedAt: null }) },
  promoting: { where: state('promoting', { step: 1, weight: 50 }) },
  promoted: { where: state('promoted', { step: 1, weight: 100 }), released: v2 },
  aborting: { where: state('aborting') },
  aborted: { where: state('aborted', { weight: 0 }) },
  undoing: { where: state('undoing') },
  undone: { where: state('undone', { weight: 0 }) },
};

const table: Record<keyof typeof commands, Record<string, string>> = {
  start: {
    nothing: 'begin canary',
    'starting, cut off': 'starting step 0 at 10 %',
    'at 10 %': 'pass STEP_IN_FORCE',
    'at 50 %': 'pass STEP_IN_FORCE',
    'to 50 %, cut off': 'progressing step 1 at 50 %',
    promoting: 'pass PROMOTING',
    promoted: 'skipped ALREADY_RELEASED',
    aborting: 'finish the way back',
    aborted: 'begin canary',
    undoing: 'finish the way back',
    undone: 'begin canary',
  },
  'start v3': {
    nothing: 'begin canary',
    'starting, cut off': 'fail ROLLOUT_IN_PROGRESS',
    'at 10 %': 'fail ROLLOUT_IN_PROGRESS',
    'at 50 %': 'fail ROLLOUT_IN_PROGRESS',
    'to 50 %, cut off': 'fail ROLLOUT_IN_PROGRESS',
    promoting: 'fail ROLLOUT_IN_PROGRESS',
    promoted: 'begin canary',
    aborting: 'finish the way back',
    aborted: 'begin canary',
    undoing: 'finish the way back',
    undone: 'begin canary',
  },
  step: {
    nothing: 'fail NO_ROLLOUT',
    'starting, cut off': 'starting step 0 at 10 %',
    'at 10 %': 'progressing step 1 at 50 %',
    'at 50 %': 'skipped LAST_STEP',
    'to 50 %, cut off': 'progressing step 1 at 50 %',
    promoting: 'skipped LAST_STEP',
    promoted: 'skipped ALREADY_RELEASED',
    aborting: 'finish the way back',
    aborted: 'fail ROLLOUT_ABORTED',
    undoing: 'finish the way back',
    undone: 'fail ROLLOUT_ABORTED',
  },
  promote: {
    nothing: 'fail NO_ROLLOUT',
    'starting, cut off': 'fail STEPS_REMAINING',
    'at 10 %': 'fail STEPS_REMAINING',
    'at 50 %': 'promoting step 1 at 50 %',
    'to 50 %, cut off': 'fail STEPS_REMAINING',
    promoting: 'promoting step 1 at 50 %',
    promoted: 'skipped ALREADY_RELEASED',
    aborting: 'finish the way back',
    aborted: 'fail ROLLOUT_ABORTED',
    undoing: 'finish the way back',
    undone: 'fail ROLLOUT_ABORTED',
  },
  'promote v3': {
    nothing: 'begin rolling',
    'starting, cut off': 'fail ROLLOUT_IN_PROGRESS',
    'at 10 %': 'fail ROLLOUT_IN_PROGRESS',
    'at 50 %': 'fail ROLLOUT_IN_PROGRESS',
    'to 50 %, cut off': 'fail ROLLOUT_IN_PROGRESS',
    promoting: 'fail ROLLOUT_IN_PROGRESS',
    promoted: 'begin rolling',
    aborting: 'finish the way back',
    aborted: 'begin rolling',
    undoing: 'finish the way back',
    undone: 'begin rolling',
  },
  abort: {
    nothing: 'skipped NOTHING_TO_DO',
    'starting, cut off': 'aborting step 0 at 10 %',
    'at 10 %': 'aborting step 0 at 10 %',
    'at 50 %': 'aborting step 1 at 50 %',
    'to 50 %, cut off': 'aborting step 1 at 50 %',
    promoting: 'aborting step 1 at 50 %',
    promoted: 'skipped NOTHING_TO_DO',
    aborting: 'aborting step 0 at 10 %',
    aborted: 'skipped NOTHING_TO_DO',
    undoing: 'undoing step 0 at 10 %',
    undone: 'skipped NOTHING_TO_DO',
  },
  'roll back': {
    nothing: 'skipped NOTHING_TO_DO',
    'starting, cut off': 'aborting step 0 at 10 %',
    'at 10 %': 'aborting step 0 at 10 %',
    'at 50 %': 'aborting step 1 at 50 %',
    'to 50 %, cut off': 'aborting step 1 at 50 %',
    promoting: 'aborting step 1 at 50 %',
    promoted: 'undoing step 1 at 100 %',
    aborting: 'aborting step 0 at 10 %',
    aborted: 'skipped ALREADY_GOOD',
    undoing: 'undoing step 0 at 10 %',
    undone: 'skipped ALREADY_GOOD',
  },
};

describe.each(Object.keys(table) as (keyof typeof commands)[])('%s', (name) => {
  it.each(Object.entries(places))('%s', (place, { where, released = v1 }) => {
    expect(answer(commands[name], where, { stableImage: released })).toBe(table[name][place]);
  });
});

it('every phase is in the table', () => {
  const phases = new Set(Object.values(places).map(({ where }) => where?.phase ?? 'none'));
  const all: Phase[] = ['none', 'starting', 'progressing', 'promoting', 'promoted', 'aborting', 'aborted', 'undoing', 'undone'];
  expect([...phases].sort()).toEqual([...all].sort());
});

describe('a re-run of the job that made the step', () => {
  const where = state('progressing', {
    step: 1,
    weight: 50,
    stepBy: 'acme/shop/77/1/half',
    target: { ...target(), steps: [...target().steps, { weight: 80, duration: 1000 }] },
  });

  it('does not move on', () => expect(answer(commands.step, where, { holder: 'acme/shop/77/2/half' })).toBe('pass STEP_IN_FORCE'));
  it('moves on in another job', () =>
    expect(answer(commands.step, where, { holder: 'acme/shop/77/1/most' })).toBe('progressing step 2 at 80 %'));
  it('moves on at the next `step` of the same attempt', () =>
    expect(answer(commands.step, where, { holder: 'acme/shop/77/1/half' })).toBe('progressing step 2 at 80 %'));
  it('moves on from a shell', () => expect(answer(commands.step, where, { holder: 'ann@laptop/4711' })).toBe('progressing step 2 at 80 %'));
});

describe('a weight of its own', () => {
  const where = state('progressing');
  it('replaces the weight of the next step', () => expect(answer({ kind: 'step', weight: 30 }, where)).toBe('progressing step 1 at 30 %'));
  it('chooses the step that has it', () => expect(answer({ kind: 'step', weight: 50 }, where)).toBe('progressing step 1 at 50 %'));
  it('is refused when it is not forward', () => expect(answer({ kind: 'step', weight: 5 }, where)).toBe('error WEIGHT_NOT_FORWARD'));
  it('is nothing to do when it is in force', () => expect(answer({ kind: 'step', weight: 10 }, where)).toBe('pass STEP_IN_FORCE'));
  it('of 100 promotes at once', () =>
    expect(answer({ kind: 'promote', version: null, weight: 100 }, where)).toBe('promoting step 0 at 10 %'));
});

describe('a changed configuration', () => {
  const changed = { configHash: 'another' };
  it('refuses a step', () => expect(answer(commands.step, state('progressing'), changed)).toBe('error CONFIG_CHANGED'));
  it('never refuses the way back', () => expect(answer(commands.abort, state('progressing'), changed)).toBe('aborting step 0 at 10 %'));
});

describe('a rollback', () => {
  it('does nothing where another image than the given one was released', () => {
    expect(answer({ ...commands['roll back'], image: v3 }, state('promoted'), { stableImage: v2 })).toBe('skipped NOTHING_TO_DO');
  });
  it('refuses when somebody else changed the Deployment since', () => {
    expect(answer(commands['roll back'], state('promoted'), { stableImage: v3 })).toBe('fail WORKLOAD_CHANGED');
  });
});
