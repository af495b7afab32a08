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
  /** The step that runs now, or ran last. */
  step: string;
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
      const job = { path: entry.job, name: entry.name, startedAt: entry.at, endedAt: undefined, conclusion: undefined, step: '' };
      return { ...picture, jobs: [...picture.jobs, job] };
    }
    case 'step-start':
      return changeJob(picture, entry.job, { step: entry.name });
    case 'job-end':
      return changeJob(picture, entry.job, { endedAt: entry.at, conclusion: entry.conclusion });
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

function changeJob(picture: Picture, path: string, change: Partial<JobPicture>): Picture {
  return { ...picture, jobs: picture.jobs.map((job) => (job.path === path ? { ...job, ...change } : job)) };
}
