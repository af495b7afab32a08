import type { KubeClient } from '../kube.js';

/** Controllers that move traffic themselves; Slipway starts, watches, judges, holds, aborts and promotes. */
export type EngineKind = 'argo-rollouts' | 'flagger';

/**
 * Where an update stands, in words that both engines share:
 * `unready`: the controller has not set the service up yet; `unseen`: it has not acted on the latest change; `stable`: one version serves and
 * nothing is on its way; `underway`: users may meet the new version; `promoting`: the new version is becoming the only one; `restoring`: the
 * former version was put back and its pods are coming up; `aborted`: the controller has given the update up.
 */
export type Standing = 'unready' | 'unseen' | 'stable' | 'underway' | 'promoting' | 'restoring' | 'aborted';

/** What the controller's objects say, at one reading. */
export interface EngineView {
  engine: EngineKind;
  /** `Rollout shop-ns/shop`. */
  object: string;
  standing: Standing;
  /** No user meets what was aborted, or all meet what was promoted: the controller has finished what `standing` says. */
  settled: boolean;
  /** The controller's own word for the phase, and what it says about it. */
  phase: string;
  message: string;
  /** `desired`: what the spec asks for; `stable`: what serves by default, null before anything did. */
  image: { desired: string; stable: string | null };
  /** Percent of users who meet the new version, by the controller's word. */
  weight: number;
  /**
   * The weights that the controller goes through; empty: it replaces all pods at once. `pause`: how long it rests there by itself, in
   * milliseconds; null: until somebody promotes; undefined: as its analysis takes.
   */
  steps: readonly { weight: number; pause: number | null | undefined }[];
  /** Index into `steps` of the weight in force; -1 before the first. */
  step: number;
  /** Why it waits for a person; null: it moves by itself. */
  held: string | null;
  /** How long it may rest by itself where it stands, milliseconds; null: nobody knows (an analysis). */
  rests: number | null;
  /** `advance` would end what it is in; false: only a person, a webhook or its analysis can. */
  canAdvance: boolean;
  /** How often the controller looks, milliseconds; 0: at every change. */
  looksEvery: number;
  /** Why it cannot go on although it did not abort: a deadline has passed, the spec is invalid. */
  broken: string | null;
  /** Its own analyses. */
  checks: readonly EngineCheck[];
  /** Label selectors of the pods of both tracks; canary is null while there is no second version. */
  tracks: { stable: string; canary: string | null };
  /** Pods that the service runs. */
  replicas: number;
  /** The controller's number of the latest template. */
  revision: string | null;
  /** Changes with every phase that the controller writes; equal marks before and after a change: it has not acted on it. */
  mark: string;
}

/** One of the controller's analyses: `{ name: 'success-rate', phase: 'Failed', message: 'failed (4) > failureLimit (3)' }`. */
export interface EngineCheck {
  name: string;
  phase: string;
  message: string;
}

/** How an update ended; undefined: it goes on, or there was none. */
export type EngineEnd = 'promoted' | 'aborted' | undefined;

/** What a change overwrote and `tidy` puts back; plain JSON, kept with the rollout's state. */
export type EngineMemory = Record<string, boolean>;

/**
 * One service that a progressive-delivery controller drives. Everything acts on what `read` saw last (and reads first when it has not), so that
 * an abort needs no reading. Each change may be repeated. Made by createEngine.
 */
export interface RolloutEngine {
  readonly kind: EngineKind;
  /** The kind of object it is named by: `Rollout`, `Canary`. */
  readonly objectKind: string;
  /**
   * Reads, and refuses what cannot be driven. Reasons: ENGINE_NOT_INSTALLED, ENGINE_OBJECT_NOT_FOUND, ENGINE_OBJECTS_AMBIGUOUS,
   * ENGINE_TARGET_UNSUPPORTED, ENGINE_SPEC_INVALID, ROLLOUT_WITHOUT_STRATEGY, CONTAINER_AMBIGUOUS, CONTAINER_NOT_FOUND.
   */
  check(): Promise<EngineView>;
  read(): Promise<EngineView>;
  /** Sets the image, so that the controller begins; `id` tells this attempt from an earlier one with the same image. Clears an abort. */
  start(image: string, options: { id: string; version: string | null }): Promise<void>;
  /** From now on the controller does not move. */
  hold(): Promise<void>;
  /** Undoes `hold`, and no more. */
  resume(): Promise<void>;
  /** Ends the pause or analysis that it is in; the controller goes on to the next. Reason: ROLLOUT_ABORTED. */
  advance(): Promise<void>;
  /** Sends everybody to the new version, without the steps that are left. Reason: ROLLOUT_ABORTED. */
  promoteFull(): Promise<void>;
  /** Sends everybody back. `client`: one that a cancellation does not stop. */
  abort(client?: KubeClient): Promise<void>;
  /** The patches that `abort` would send, in words. */
  abortWords(): string;
  /**
   * After an abort: the spec names again what runs, so that nothing starts the refused version anew. True: something was changed.
   * Reason: NO_PREVIOUS_REVISION.
   */
  restoreSpec(client?: KubeClient): Promise<boolean>;
  /** Takes back a promoted release: `image` becomes the only version, without steps. Reason: NO_PREVIOUS_REVISION. */
  undo(image: string): Promise<void>;
  /** What `promoteFull` and `undo` will overwrite. */
  memory(): EngineMemory;
  /** Puts back what `promoteFull` and `undo` overwrote. */
  tidy(memory: EngineMemory): Promise<void>;
}

/** How the update to `image` ended, as `view` says. Pure. */
export function endOf(view: EngineView, image: string): EngineEnd {
  if (view.standing === 'stable' && view.settled && view.image.stable === image) return 'promoted';
  const back = view.standing === 'aborted' || (view.standing === 'stable' && view.image.stable !== image);
  return back && view.settled ? 'aborted' : undefined;
}

/** `Rollout shop-ns/shop is Paused (CanaryPauseStep), 25 %`. Pure. */
export function engineWords(view: EngineView): string {
  const message = view.message === '' ? '' : ` (${view.message})`;
  const share = view.standing === 'underway' ? `, ${view.weight} % of users` : '';
  return `${view.object} is ${view.phase || 'without a phase'}${message}${share}`;
}
