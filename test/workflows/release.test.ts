import { beforeAll, describe, expect, it } from '@jest/globals';
import { play } from '../../demo/play.js';
import { decisionsOf, type Recording } from '../../demo/recording.js';
import { scenarios } from '../../demo/scenarios.js';
import { verify } from '../../demo/verify.js';
import { createWorld } from '../../demo/world.js';
import type { RunEvent } from './executor/events.js';

interface Played {
  recording: Recording;
  /** What the sandbox says is not as it had to be. */
  wrong: string[];
  events: RunEvent[];
}

/** Plays a scenario of the demo in a world of its own: the shipped release.yml, the committed dist, the sandbox. */
async function playAlone(name: string): Promise<Played> {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  const world = await createWorld(scenario.from);
  try {
    const recording = await play(scenario, world, () => {}, new AbortController().signal);
    const checks = await verify(recording, world);
    const events = recording.timeline.filter((entry): entry is RunEvent => 'job' in entry);
    return { recording, wrong: checks.filter(({ ok }) => !ok).map(({ what, found }) => `${what}: ${found}`), events };
  } finally {
    await world.stop();
  }
}

const stepsOf = ({ events }: Played, job: string) =>
  events.flatMap((event) =>
    event.type === 'step-end' && event.job === `release / ${job}` && !event.step.startsWith('post')
      ? [`${event.name}: ${event.outcome}`]
      : [],
  );

const annotations = ({ events }: Played, level: string) =>
  events.flatMap((event) => (event.type === 'annotation' && event.level === level ? [event.message] : []));

const jobsOf = ({ recording }: Played) => Object.fromEntries([...recording.jobs].map(([path, { conclusion }]) => [path, conclusion]));

// They mostly wait: the long one and, one after the other, the short ones are played at the same time.
const played = new Map<string, Promise<Played>>();

beforeAll(() => {
  const start = (name: string, after: Promise<unknown> = Promise.resolve()) => {
    const playing = after.catch(() => {}).then(() => playAlone(name));
    // Its test awaits it and fails with it; until then a rejection is nobody's.
    playing.catch(() => {});
    played.set(name, playing);
    return playing;
  };
  start('good');
  start('bad-changelog', start('cancelled', start('bad-errors')));
});

const outcomeOf = (name: string) => played.get(name) as Promise<Played>;

describe('release.yml with the committed dist, in the sandbox', () => {
  it('takes a good release through staging, 10 % and 50 % to everybody, and publishes it', async () => {
    const played = await outcomeOf('good');
    expect(played.wrong).toEqual([]);
    expect(annotations(played, 'error')).toEqual([]);
    expect(annotations(played, 'warning').filter((message) => message.includes('Unexpected input'))).toEqual([]);
    expect(jobsOf(played)).toEqual({
      release: 'success',
      'release / gate': 'success',
      'release / build': 'skipped',
      'release / staging': 'success',
      'release / production': 'success',
      'release / rollback': 'skipped',
      'release / publish': 'success',
    });
    expect(stepsOf(played, 'production')).toEqual([
      'Check out: success',
      'Write the kubeconfig: success',
      'Tell that it starts: success',
      'Start the canary: success',
      'Judge the first step: success',
      'Second step: success',
      'Judge the second step: success',
      'Third step: success',
      'Judge the third step: skipped',
      'Release to all users: success',
      'Tell that it is done: success',
      'Roll back: skipped',
      'Tell that it did not get through: skipped',
    ]);
    expect(played.recording.timeline.flatMap((entry) => (entry.type === 'weight' ? [entry.weight] : []))).toEqual([10, 50, 0]);
  }, 90_000);

  it('sends users back from a release with errors, in the job and once more, to no harm, in the safety job', async () => {
    const played = await outcomeOf('bad-errors');
    expect(played.wrong).toEqual([]);
    expect(jobsOf(played)).toMatchObject({
      'release / production': 'failure',
      'release / rollback': 'success',
      'release / publish': 'skipped',
    });
    expect(decisionsOf(played.recording.timeline).map(({ action, outcome }) => `${action}: ${outcome}`)).toEqual([
      'validate-version: pass',
      'check-changelog: pass',
      'canary-deploy: pass',
      'canary-deploy: pass',
      'canary-analyze: fail',
      'auto-rollback: skipped',
      'auto-rollback: skipped',
    ]);
  }, 90_000);

  it('deploys nothing when the changelog has no section that is displayed', async () => {
    const played = await outcomeOf('bad-changelog');
    expect(played.wrong).toEqual([]);
    expect(played.recording.timeline.filter(({ type }) => type === 'write' || type === 'github-write')).toEqual([]);
    expect(stepsOf(played, 'gate')).toEqual([
      'Check out with all tags: success',
      'Validate the version: success',
      'Check the changelog: failure',
    ]);
  }, 90_000);

  it('sends users back within 2 s when it is cancelled, and cleans up', async () => {
    const played = await outcomeOf('cancelled');
    expect(played.wrong).toEqual([]);
    expect(jobsOf(played)).toMatchObject({ 'release / production': 'cancelled', 'release / rollback': 'success' });
  }, 90_000);
});
