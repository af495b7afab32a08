import type { CounterSample, Judgement } from '@slipway/analysis';
import type { EngineView, RolloutEngine } from '@slipway/cluster';
import { isCancellation, OperationError } from '@slipway/core';
import { guard } from '../abort-now.js';
import { goingBack } from '../accept.js';
import { failureReason, verdictAtEnd } from '../analysis-verdict.js';
import type { RolloutDeps } from '../deps.js';
import { observePods, type PodMemory } from '../pod-health.js';
import type { ServicePod } from '../pods.js';
import type { RolloutState } from '../state.js';
import type { Analyzed, AnalyzeOptions, OpenedState } from '../step-analysis.js';
import { nameOf, type Verdict } from '../verdicts.js';
import { evidenceFor, judgeAtEnd, lookOnce, observeWindow, prepareJudge, type Watch } from '../watch-step.js';
import { AnalysisRecord } from './analysis-record.js';
import { listEnginePods } from './engine-pods.js';
import { atStep, type EngineState, endSeen } from './engine-state.js';
import { engineFor, engineKindOf } from './engine-target.js';
import { runEngineCommand } from './run-engine-command.js';

/** How the watching of a driven rollout ended. */
interface Decided {
  verdict: Verdict;
  goBack: boolean;
}

/**
 * Our judge as the analysis of a controller's update: it compares the pods of both tracks while the controller moves, aborts when the verdict
 * is against the release and holds the controller when there is none. It watches on through the steps that the controller makes meanwhile, and
 * ends when the step in force was watched long enough or the update is over.
 */
export function analyzeEngine(deps: RolloutDeps, options: AnalyzeOptions, opened: OpenedState, state: RolloutState): Promise<Analyzed> {
  return new EngineAnalysis(deps, options, opened, state as EngineState).run();
}

class EngineAnalysis {
  private readonly engine: RolloutEngine;
  private readonly record: AnalysisRecord;
  private readonly watch: Watch;
  private evidence;
  private view: EngineView | undefined;
  private pods: readonly ServicePod[] = [];
  private podMemory: PodMemory = new Map();
  private readonly warned = new Set<string>();

  constructor(
    private readonly deps: RolloutDeps,
    private readonly options: AnalyzeOptions,
    opened: OpenedState,
    private state: EngineState,
  ) {
    const kind = engineKindOf(state.target);
    if (!kind) throw new Error(`${state.id} is driven by no engine`);
    this.engine = engineFor(deps.client.withSignal(deps.context.signal), state.target, kind);
    this.record = new AnalysisRecord(opened, state);
    this.watch = options.watch(async () => this.readPods());
    this.evidence = evidenceFor(state, this.watch.judge.name);
  }

  async run(): Promise<Analyzed> {
    const { context, onCancel = 'rollback' } = this.deps;
    this.view = await this.engine.read();
    const enforced = this.options.mode === 'enforce';
    const watch = enforced ? guard(this.wayOut(onCancel), context.signal, context.log) : undefined;
    try {
      const { verdict, goBack } = await this.untilDecided();
      if (!enforced) return this.end(goBack ? observed(verdict) : verdict);
      if (goBack) return await this.sendBack(verdict);
      return verdict.outcome === 'hold' ? await this.hold(verdict) : this.end(verdict);
    } catch (error) {
      if (!isCancellation(error, context.signal)) throw error;
      return await this.cancelled(onCancel, await watch?.sent());
    } finally {
      watch?.disarm();
    }
  }

  private async untilDecided(): Promise<Decided> {
    const { clock, signal } = this.deps.context;
    const { window } = this.watch;
    let before = await this.sample();
    let next = clock.now() + window;
    while (this.evidence.watched * window < this.duration()) {
      await clock.sleep(Math.max(0, next - clock.now()), signal);
      next += window;
      const after = await this.sample();
      const end = this.view && endSeen(this.state, this.view);
      if (end === 'aborted' || this.view?.standing === 'aborted') return { verdict: abortedByItself(this.view), goBack: true };
      if (end === 'promoted' || this.view?.standing === 'promoting') break;
      const unhealthy = this.unhealthy();
      if (unhealthy) return { verdict: unhealthy, goBack: true };
      await this.takeStep();
      await this.judge(before, after);
      if (this.evidence.judgement?.rollback) return verdictAtEnd(this.evidence.judgement, this.state, this.options.policy);
      before = after ?? before;
    }
    return verdictAtEnd(this.atEnd(), this.state, this.options.policy);
  }

  private duration(): number {
    return this.options.duration ?? this.state.target.steps[this.state.step]?.duration ?? 0;
  }

  /** The controller may have gone on to its next weight by itself. */
  private async takeStep(): Promise<void> {
    if (this.view?.standing !== 'underway' || this.view.step <= this.state.step) return;
    const now = new Date(this.deps.context.clock.now()).toISOString();
    this.state = { ...atStep(this.state, this.view, now), evidence: this.evidence };
    this.evidence = evidenceFor(this.state, this.watch.judge.name);
  }

  private async judge(before: CounterSample | null, after: CounterSample | null): Promise<void> {
    const { clock, signal, progress } = this.deps.context;
    const sample = after ?? before;
    const asked = sample?.series.some(({ counters }) => counters.n > 0);
    if (sample && (sample.bounds.length > 0 || asked) && (this.evidence.state === null || this.evidence.watched === 0)) {
      this.evidence = await prepareJudge(this.evidence, this.state, this.watch, sample.bounds, signal);
    }
    const seen = observeWindow(this.evidence, this.state, this.watch, before, after, clock.now());
    if (seen.kind === 'early') return;
    this.evidence = seen.evidence;
    this.warn(seen.problems);
    const last = this.evidence.windows.at(-1);
    progress(
      `window ${this.evidence.watched} at ${this.view?.weight ?? 0} %: canary ${counts(last?.canary)}, stable ${counts(last?.stable)}`,
    );
    await this.record.write({ ...this.state, evidence: this.evidence });
  }

  private atEnd(): Judgement {
    const judgement = judgeAtEnd(this.watch, this.evidence);
    this.evidence = { ...this.evidence, judgement };
    return judgement;
  }

  private sample(): Promise<CounterSample | null> {
    return lookOnce(this.watch, this.deps.context.signal, (problems) => this.warn(problems));
  }

  private async readPods(): Promise<readonly ServicePod[]> {
    const { client, context } = this.deps;
    this.view = await this.engine.read();
    this.pods = await listEnginePods(client.withSignal(context.signal), this.state.target, this.view);
    return this.pods;
  }

  /** A canary whose pods crash or stop being ready needs no statistics. */
  private unhealthy(): Verdict | undefined {
    const seen = observePods(
      this.podMemory,
      this.pods.filter(({ track }) => track === 'canary'),
    );
    this.podMemory = seen.memory;
    if (seen.restarts === 0 && seen.lost.length === 0) return undefined;
    const summary = `${nameOf(this.state)} at ${this.view?.weight ?? 0} %: its pods do not stay up: ${seen.words.join('; ')}.`;
    return { outcome: 'fail', reason: failureReason('health'), summary };
  }

  private async sendBack(verdict: Verdict): Promise<Analyzed> {
    const { context, client } = this.deps;
    const { from } = this.state.image;
    const why = { reason: verdict.reason, summary: verdict.summary };
    const late = this.view && endSeen(this.state, this.view) === 'promoted';
    context.log.warning(`${verdict.summary} Sending all users back to ${from}.`);
    // Users first: they wait for no ConfigMap.
    const told = late ? undefined : this.engine.abort(client.withSignal(undefined));
    const written = this.record.write({ ...(goingBack(this.state, 'aborting', why) as EngineState), evidence: this.evidence });
    const [safe, recorded] = await Promise.allSettled([told, written]);
    if (recorded.status === 'rejected') context.log.warning(`The rollout's state could not be written: ${wordsOf(recorded.reason)}`);
    if (safe.status === 'rejected') context.log.warning(`The controller could not be told: ${wordsOf(safe.reason)}`);
    const { state } = await runEngineCommand(this.deps, { kind: late ? 'roll-back' : 'abort', ...why });
    const summary = `${verdict.summary} All users meet ${from} again.`;
    return this.end({ ...verdict, summary, next: ['Mend the cause, then begin a new rollout with `start`.'] }, state);
  }

  /** Undecided: the controller must not go on while a person thinks. */
  private async hold(verdict: Verdict): Promise<Analyzed> {
    const { view } = this;
    if (view?.standing !== 'underway') return this.end(verdict);
    if (view.held === null) await this.engine.hold();
    const summary = `${verdict.summary} ${view.object} is held at ${view.weight} %.`;
    return this.end({ ...verdict, summary });
  }

  private wayOut(onCancel: 'rollback' | 'hold') {
    const { engine } = this;
    const free = this.deps.client.withSignal(undefined);
    if (onCancel === 'rollback') return { words: () => engine.abortWords(), take: () => engine.abort(free) };
    const kind = engine.kind;
    const { target } = this.state;
    return {
      words: () => `hold ${engine.objectKind} ${target.namespace}/${target.workload}`,
      take: () => engineFor(free, target, kind).hold(),
    };
  }

  private async cancelled(onCancel: 'rollback' | 'hold', sent: 'safe' | 'unsent' | undefined): Promise<Analyzed> {
    const why = { reason: 'CANCELLED', summary: 'The analysis was cancelled.' };
    const back = sent !== undefined && onCancel === 'rollback';
    if (back) await this.writeLast({ ...(goingBack(this.state, 'aborting', why) as EngineState), evidence: this.evidence });
    const { from } = this.state.image;
    const told = back ? `the controller was told to send users back to ${from}` : `the rollout is held at ${this.view?.weight ?? 0} %`;
    const left = sent === 'unsent' ? 'the controller could NOT be told (see the error above)' : sent ? told : 'nothing was moved';
    const next = back
      ? 'This action’s post step waits until it has; so does `abort`.'
      : 'Run this again to go on, or `abort` to send users back.';
    return this.end({ outcome: 'fail', reason: 'CANCELLED', summary: `The analysis was cancelled; ${left}.`, next: [next] });
  }

  /** Users are safe already; a state that cannot be written must not hide that. */
  private async writeLast(next: EngineState): Promise<void> {
    try {
      await this.record.write(next);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.deps.context.log.warning(`The rollout's state could not be written: ${error.message}`);
    }
  }

  private end(verdict: Verdict, state: RolloutState | undefined = this.record.state): Analyzed {
    return { verdict, state, evidence: this.evidence, judgement: this.evidence.judgement };
  }

  private warn(problems: readonly string[]): void {
    for (const problem of problems) {
      if (!this.warned.has(problem)) this.deps.context.log.info(`metrics: ${problem}`);
      this.warned.add(problem);
    }
  }
}

function abortedByItself(view: EngineView | undefined): Verdict {
  const why = view ? `${view.object}: ${view.message || view.phase}` : 'its controller says so';
  return { outcome: 'fail', reason: 'ENGINE_ABORTED', summary: `The controller gave the update up: ${why}.` };
}

function observed(verdict: Verdict): Verdict {
  return {
    outcome: 'pass',
    reason: 'OBSERVED_FAIL',
    summary: `Would have sent users back (${verdict.reason}): ${verdict.summary}`,
    next: ['Nothing was moved, because `mode` is `observe`.'],
  };
}

function counts(window: { n: number; e: number } | null | undefined): string {
  return window ? `${window.e} of ${window.n} failed` : 'no data';
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
