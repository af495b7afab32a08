import type { Conclusion } from '../../test/workflows/executor/model.js';
import { type Decision, decisionOf, type Entry, type Evidence, type Traffic } from '../recording.js';

/** What the live view shows: a fold over the timeline. */
export interface Picture {
  title: string;
  startedAt: number;
  jobs: JobPicture[];
  traffic: Traffic | undefined;
  evidence: Evidence[];
  decision: Decision | undefined;
}

export interface JobPicture {
  path: string;
  name: string;
  startedAt: number;
  endedAt: number | undefined;
  conclusion: Conclusion | undefined;
  /** Those that run or ran, without the post steps. */
  steps: StepPicture[];
}

export interface StepPicture {
  /** Its place in the job. */
  step: string;
  name: string;
  startedAt: number;
  endedAt: number | undefined;
  outcome: Conclusion | undefined;
}

export function emptyPicture(title: string, startedAt: number): Picture {
  return { title, startedAt, jobs: [], traffic: undefined, evidence: [], decision: undefined };
}

/** The picture after one more entry. Pure. */
export function draw(picture: Picture, entry: Entry): Picture {
  switch (entry.type) {
    case 'job-start': {
      // A call has no steps of its own: its jobs are shown instead.
      if (entry.steps.length === 0) return picture;
      const job = { path: entry.job, name: entry.name, startedAt: entry.at, endedAt: undefined, conclusion: undefined, steps: [] };
      return { ...picture, jobs: [...picture.jobs, job] };
    }
    case 'step-start': {
      if (isInner(entry.step)) return picture;
      const step = { step: entry.step, name: entry.name, startedAt: entry.at, endedAt: undefined, outcome: undefined };
      return changeJob(picture, entry.job, ({ steps }) => ({ steps: [...steps, step] }));
    }
    case 'step-end':
      return changeJob(picture, entry.job, ({ steps }) => ({
        steps: steps.map((step) => (step.step === entry.step ? { ...step, endedAt: entry.at, outcome: entry.outcome } : step)),
      }));
    case 'job-end':
      return changeJob(picture, entry.job, () => ({ endedAt: entry.at, conclusion: entry.conclusion }));
    case 'traffic':
      return { ...picture, traffic: entry };
    case 'evidence':
      return { ...picture, evidence: entry.evidence };
    default: {
      const decision = decisionOf(entry);
      return decision === undefined ? picture : { ...picture, decision };
    }
  }
}

function changeJob(picture: Picture, path: string, change: (job: JobPicture) => Partial<JobPicture>): Picture {
  return { ...picture, jobs: picture.jobs.map((job) => (job.path === path ? { ...job, ...change(job) } : job)) };
}

/** Post steps, and the steps of a composite action. */
function isInner(step: string): boolean {
  return !/^\d+$/.test(step);
}
