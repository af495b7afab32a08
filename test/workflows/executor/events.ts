import type { Conclusion } from './model.js';

/** One thing that happened in a run, in the order it happened. `at`: milliseconds since the epoch. Secrets are masked in every text. */
export type RunEvent = { at: number } & (
  | { type: 'run-start'; workflow: string }
  | { type: 'run-end'; conclusion: Conclusion }
  | JobStart
  | ({ type: 'job-end'; conclusion: Conclusion; outputs: Record<string, string> } & Place)
  | ({ type: 'step-start'; name: string } & StepPlace)
  | ({ type: 'line'; text: string; stream: 'stdout' | 'stderr' } & StepPlace)
  | ({ type: 'output'; name: string; value: string } & StepPlace)
  | Annotation
  | ({ type: 'summary'; markdown: string } & StepPlace)
  | ({ type: 'step-end'; name: string; outcome: Conclusion; conclusion: Conclusion } & StepPlace)
);

interface Place {
  /** Path of the job through reusable calls and matrices, e.g. `release / production`. */
  job: string;
}

interface StepPlace extends Place {
  /** Position in the job, from 0; the steps of a composite action count on below it: `3.0`, and post steps are `post 3`. */
  step: string;
}

export interface JobStart extends Place {
  type: 'job-start';
  name: string;
  /** Names of the steps to come, for a view that shows them before they run; empty for a call. */
  steps: string[];
  environment: string | undefined;
  concurrency: { group: string; cancelInProgress: boolean } | undefined;
}

export interface Annotation extends StepPlace {
  type: 'annotation';
  level: 'error' | 'warning' | 'notice' | 'debug';
  message: string;
  /** `title`, `file`, `line` … as the command gave them. */
  properties: Record<string, string>;
}

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;

/** Reports an event; the time is added. */
export type Emit = (event: WithoutTime<RunEvent>) => void;
