import { isDeepStrictEqual } from 'node:util';
import type { CounterSample, Judgement } from '@slipway/analysis';
import { type DocumentStore, type KubeObject, readWorkload, type Stored } from '@slipway/cluster';
import { type AnalysisSettings, formatPercent, isCancellation, OperationError } from '@slipway/core';
import { guard, wayOutByRoute } from './abort-now.js';
import { goingBack } from './accept.js';
import { failureReason, verdictAtEnd } from './analysis-verdict.js';
import type { RolloutDeps } from './deps.js';
import { evidenceWords } from './evidence-words.js';
import { weightWords } from './measured-split.js';
import { observePods, type PodMemory } from './pod-health.js';
import { listPods, type ServicePod } from './pods.js';
import { runCommand } from './run-command.js';
import type { Evidence, RolloutState } from './state.js';
import { nameOf, type Verdict } from './verdicts.js';
import { evidenceFor, judgeAtEnd, lookOnce, observeWindow, prepareJudge, type Watch } from './watch-step.js';
import { routerOf } from './world.js';

export interface AnalyzeOptions {
  /** Made with the pods that the analysis reads anyway. */
  watch: (pods: () => Promise<readonly ServicePod[]>) => Watch;
  policy: Pick<AnalysisSettings, 'onNodata' | 'onInconclusive'>;
  /** How long the step is watched, milliseconds; default: as slipway.yml says for the step. */
  duration?: number;
  /** `observe`: judges and reports, but never moves traffic. */
  mode: 'enforce' | 'observe';
}

export interface Analyzed {
  verdict: Verdict;
  state: RolloutState | undefined;
  evidence: Evidence | null;
  judgement: Judgement | null;
}

/** The state as it was read, and where it is written. */
export interface OpenedState {
  store: DocumentStore<RolloutState>;
  stored: Stored<RolloutState> | undefined;
}

/** A pod that is being replaced may be missing at one look. */
const LOOKS_UNTIL_GONE = 2;

/** The watching of one step by one process. */
export class StepAnalysis {
  private stored: Stored<RolloutState>;
  private evidence: Evidence;
  private podMemory: PodMemory = new Map();
  private latestPods: readonly ServicePod[] = [];
  private looksWithoutPods = 0;
  private stable: KubeObject | undefined;
  private readonly watch: Watch;
  private readonly warned = new Set<string>();

  constructor(
    private readonly deps: RolloutDeps,
    private readonly options: AnalyzeOptions,
    private readonly opened: OpenedState,
    private readonly state: RolloutState,
  ) {
    this.stored = opened.stored as Stored<RolloutState>;
    this.watch = options.watch(async () => this.readPods());
    this.evidence = evidenceFor(state, this.watch.judge.name);
  }

  async run(): Promise<Analyzed> {
    const { context, client, onCancel = 'rollback' } = this.deps;
    const { clock, signal, log } = context;
    const { target } = this.state;
    this.stable = (await readWorkload(client.withSignal(signal), target.namespace, target.workload, target.container)).deployment;
    const router = routerOf(client, target, { clock, signal, replicas: this.state.replicas, state: this.state });
    await router.read();
    const watch = onCancel === 'rollback' && this.options.mode === 'enforce' ? guard(wayOutByRoute(router), signal, log) : undefined;
    try {
      const decided = await this.untilDecided();
      if (decided.goBack) return await this.sendBack(decided.verdict, () => router.makeSafe());
      await this.write((there) => ({ ...there, evidence: { ...this.evidence, running: false } }));
      return this.end(decided.verdict);
    } catch (error) {
      if (!isCancellation(error, signal)) throw error;
      const sent = await watch?.sent();
      return await this.cancelled(sent);
    } finally {
      watch?.disarm();
    }
  }

  private async untilDecided(): Promise<{ verdict: Verdict; goBack: boolean }> {
    const { clock, signal } = this.deps.context;
    const duration = this.options.duration ?? this.state.target.steps[this.state.step]?.duration ?? 0;
    let before = await this.sample();
    let next = clock.now() + this.watch.window;
    while (this.evidence.watched * this.watch.window < duration) {
      await clock.sleep(Math.max(0, next - clock.now()), signal);
      next += this.watch.window;
      const after = await this.sample();
      const unhealthy = this.unhealthy();
      if (unhealthy) return { verdict: unhealthy, goBack: true };
      if (await this.judged(before, after)) {
        const { judgement } = this.evidence;
        if (judgement?.rollback) return verdictAtEnd(judgement, this.state, this.options.policy);
      }
      before = after ?? before;
    }
    return verdictAtEnd(this.atEnd(), this.state, this.options.policy);
  }

  private atEnd(): Judgement {
    const judgement = judgeAtEnd(this.watch, this.evidence);
    this.evidence = { ...this.evidence, judgement };
    return judgement;
  }

  /** Adds the window between two samples and writes it down. False: it belonged to the time before the step. */
  private async judged(before: CounterSample | null, after: CounterSample | null): Promise<boolean> {
    const { clock, signal, progress } = this.deps.context;
    const bounds = boundsOf(after ?? before);
    if (bounds && (this.evidence.state === null || this.evidence.watched === 0)) {
      this.evidence = await prepareJudge(this.evidence, this.state, this.watch, bounds, signal);
    }
    const seen = observeWindow(this.evidence, this.state, this.watch, before, after, clock.now());
    if (seen.kind === 'early') return false;
    this.evidence = seen.evidence;
    this.warn(seen.problems);
    progress(progressWords(this.evidence));
    await this.write((there) => ({ ...there, evidence: { ...this.evidence, running: true } }));
    return true;
  }

  private sample(): Promise<CounterSample | null> {
    return lookOnce(this.watch, this.deps.context.signal, (problems) => this.warn(problems));
  }

  private async readPods(): Promise<readonly ServicePod[]> {
    const { client, context } = this.deps;
    this.latestPods = await listPods(client.withSignal(context.signal), this.state.target, this.stable as KubeObject);
    return this.latestPods;
  }

  /** A canary whose pods crash or stop being ready needs no statistics. */
  private unhealthy(): Verdict | undefined {
    const canary = this.latestPods.filter(({ track }) => track === 'canary');
    const hadPods = this.podMemory.size > 0 || this.looksWithoutPods > 0;
    this.looksWithoutPods = hadPods && canary.length === 0 ? this.looksWithoutPods + 1 : 0;
    const seen = observePods(this.podMemory, canary);
    this.podMemory = seen.memory;
    const gone = this.looksWithoutPods >= LOOKS_UNTIL_GONE;
    if (!gone && seen.restarts === 0 && seen.lost.length === 0) return undefined;
    const words = gone ? 'none is left, while the route leads users to them' : seen.words.join('; ');
    const summary = `${nameOf(this.state)} at ${weightWords(this.state)}: its pods do not stay up: ${words}.`;
    return { outcome: 'fail', reason: failureReason('health'), summary };
  }

  private async sendBack(verdict: Verdict, makeSafe: () => Promise<void>): Promise<Analyzed> {
    if (this.options.mode === 'observe') return this.end(observed(verdict));
    const why = { reason: verdict.reason, summary: verdict.summary };
    this.deps.context.log.warning(`${verdict.summary} Sending all users back to ${this.state.image.from}.`);
    // Users first: they wait for no ConfigMap, and a state that cannot be written must not keep them with a version that was judged bad.
    const [written, safe] = await Promise.allSettled([
      this.write((there) => ({ ...goingBack(there, 'aborting', why), evidence: this.evidence })),
      makeSafe(),
    ]);
    if (written.status === 'rejected')
      this.deps.context.log.warning(`The rollout's state could not be written: ${wordsOf(written.reason)}`);
    try {
      const { state } = await runCommand(this.deps, { kind: 'abort', ...why });
      const summary = `${verdict.summary} All users meet ${this.state.image.from} again.`;
      return this.end({ ...verdict, summary, next: ['Mend the cause, then begin a new rollout with `start`.'] }, state);
    } catch (error) {
      // The verdict stands; what could not be put away does not take its place, unless users were not made safe.
      if (safe.status === 'rejected' || !(error instanceof OperationError)) throw error;
      const summary = `${verdict.summary} All users were routed to ${this.state.image.from}, but the canary could not be put away: ${error.message}`;
      return this.end({ ...verdict, summary, next: ['Run `abort`.', ...error.next] });
    }
  }

  private async cancelled(sent: 'safe' | 'unsent' | undefined): Promise<Analyzed> {
    const why = { reason: 'CANCELLED', summary: 'The analysis was cancelled.' };
    const evidence = { ...this.evidence, running: false };
    await this.writeLast((there) => (sent ? goingBack({ ...there, evidence }, 'aborting', why) : { ...there, evidence }));
    const left = `the rollout is left at ${weightWords(this.state)}`;
    const unsent = 'users could NOT be sent back (see the error above); the post step tries again';
    const what = { safe: `users were sent back to ${this.state.image.from}`, unsent }[sent ?? 'unsent'];
    const next = {
      safe: 'What is left of the canary is removed by this action’s post step, or by `canary-deploy` with `abort`; then begin anew with `start`.',
      unsent: 'If the post step fails, too: run `canary-deploy` with `abort`.',
      left: 'Run `canary-analyze` again: it goes on with the evidence it has. Or run `canary-deploy` with `abort` to send users back.',
    }[sent ?? 'left'];
    return this.end({ outcome: 'fail', reason: 'CANCELLED', summary: `The analysis was cancelled; ${sent ? what : left}.`, next: [next] });
  }

  /** Users are safe already; a state that cannot be written must not hide that. `post` and the next run see the route. */
  private async writeLast(next: (there: RolloutState) => RolloutState): Promise<void> {
    try {
      await this.write(next);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.deps.context.log.warning(`The rollout's state could not be written: ${error.message}`);
    }
  }

  /** Writes what `next` makes of the state; anew when somebody has only paused or resumed it meanwhile, or touched the ConfigMap. */
  private async write(next: (there: RolloutState) => RolloutState): Promise<void> {
    const put = (on: Stored<RolloutState>) => this.opened.store.write({ ...next(on.value), generation: on.value.generation + 1 }, on);
    try {
      this.stored = await put(this.stored);
    } catch (error) {
      if (!(error instanceof OperationError && error.reason === 'CONFLICT')) throw error;
      const there = await this.opened.store.read();
      if (!there || !isSameStep(there.value, this.stored.value)) throw changed(there?.value, error);
      this.stored = await put(there);
    }
  }

  private end(verdict: Verdict, state: RolloutState | undefined = this.stored.value): Analyzed {
    return { verdict, state, evidence: this.evidence, judgement: this.evidence.judgement };
  }

  private warn(problems: readonly string[]): void {
    for (const problem of problems) {
      if (!this.warned.has(problem)) this.deps.context.log.info(`metrics: ${problem}`);
      this.warned.add(problem);
    }
  }
}

/** Whether it is the step that is being watched, as far as a pause, or who holds the lease, goes. */
function isSameStep(there: RolloutState, watched: RolloutState): boolean {
  const step = ({ id, phase, step, weight, stepStartedAt, ended }: RolloutState) => ({ id, phase, step, weight, stepStartedAt, ended });
  return isDeepStrictEqual(step(there), step(watched)) && there.evidence?.watched === watched.evidence?.watched;
}

/** Latency buckets of a sample; undefined while no pod was asked anything, because buckets may show up with the first request. */
function boundsOf(sample: CounterSample | null): readonly number[] | undefined {
  const asked = sample?.series.some(({ counters }) => counters.n > 0);
  return sample && (sample.bounds.length > 0 || asked) ? sample.bounds : undefined;
}

function changed(there: RolloutState | undefined, cause: OperationError): OperationError {
  const why = there?.ended ? `: ${there.ended.summary}` : '.';
  return new OperationError(`The rollout changed while it was being watched: it is ${there?.phase ?? 'gone'} now${why}`, {
    reason: 'ROLLOUT_SUPERSEDED',
    next: ['See where it stands: `canary-deploy` with command `status`.'],
    cause,
  });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function observed(verdict: Verdict): Verdict {
  return {
    outcome: 'pass',
    reason: 'OBSERVED_FAIL',
    summary: `Would have sent users back (${verdict.reason}): ${verdict.summary}`,
    next: ['Nothing was moved, because `mode` is `observe`.'],
  };
}

function progressWords({ windows, watched }: Evidence): string {
  const last = windows.at(-1);
  const share = (counts: { n: number; e: number } | null | undefined) =>
    counts ? `${counts.e} of ${counts.n} failed${counts.n > 0 ? ` (${formatPercent(counts.e / counts.n)})` : ''}` : 'no data';
  const evidence = Object.entries(last?.evidence ?? {}).map(([metric, value]) => `${metric} ${evidenceWords(value)}`);
  return `window ${watched}: canary ${share(last?.canary)}, stable ${share(last?.stable)}; evidence ${evidence.join(', ') || 'none'}`;
}
