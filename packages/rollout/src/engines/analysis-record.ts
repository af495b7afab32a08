import type { DocumentStore, Stored } from '@slipway/cluster';
import { OperationError } from '@slipway/core';
import type { RolloutState } from '../state.js';
import type { OpenedState } from '../step-analysis.js';
import type { EngineState } from './engine-state.js';

/**
 * The state as an analysis writes it: without the target's lease, so that a person can act at any time, and refused when somebody did.
 */
export class AnalysisRecord {
  private readonly store: DocumentStore<RolloutState>;
  private stored: Stored<RolloutState>;

  constructor(opened: OpenedState, state: EngineState) {
    this.store = opened.store;
    this.stored = opened.stored ?? { value: state, resourceVersion: '' };
  }

  get state(): EngineState {
    return this.stored.value as EngineState;
  }

  /** Reason: ROLLOUT_SUPERSEDED. */
  async write(next: EngineState): Promise<void> {
    const value: RolloutState = { ...next, generation: this.stored.value.generation + 1 };
    try {
      this.stored = await this.store.write(value, this.stored);
    } catch (error) {
      if (!(error instanceof OperationError && error.reason === 'CONFLICT')) throw error;
      const there = await this.store.read();
      // Somebody may have touched the ConfigMap (a label, another key) and not the state.
      if (!there || JSON.stringify(there.value) !== JSON.stringify(this.stored.value)) throw superseded(there?.value, error);
      this.stored = await this.store.write(value, there);
    }
  }
}

function superseded(there: RolloutState | undefined, cause: OperationError): OperationError {
  return new OperationError(
    `The rollout changed while it was being watched: it is ${there?.phase ?? 'gone'} now${there?.ended ? `: ${there.ended.summary}` : '.'}`,
    { reason: 'ROLLOUT_SUPERSEDED', next: ['See where it stands: `canary-deploy` with command `status`.'], cause },
  );
}
