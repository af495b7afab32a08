import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node24 } from '../../scripts/node24.mjs';
import type { RunEvent } from './executor/events.js';
import { type RunResult, runWorkflow } from './executor/run.js';
import type { RunOptions } from './executor/runtime.js';
import { createStandIns } from './executor/stand-ins.js';
import { createScratchRepository } from './scratch-repository.js';

export interface ScratchRun extends RunResult {
  events: RunEvent[];
  /** What the steps printed, in order. */
  lines: string[];
  /** Conclusion of a job by its path. */
  conclusionOf(job: string): string | undefined;
  errors: string[];
}

/** Runs `.github/workflows/main.yml` of a repository with these files, and gathers everything that happened. */
export async function runScratch(files: Record<string, string>, options: Partial<RunOptions> = {}): Promise<ScratchRun> {
  const repository = createScratchRepository('acme/shop', files);
  const directory = mkdtempSync(join(tmpdir(), 'run-'));
  const events: RunEvent[] = [];
  try {
    const result = await runWorkflow({
      repository,
      workflow: '.github/workflows/main.yml',
      event: { name: 'push' },
      ref: 'refs/heads/main',
      sha: repository.sha,
      node: node24(),
      directory,
      standIns: createStandIns(),
      ...options,
      onEvent: (event) => {
        events.push(event);
        options.onEvent?.(event);
      },
    });
    return {
      ...result,
      events,
      lines: events.flatMap((event) => (event.type === 'line' ? [event.text] : [])),
      errors: events.flatMap((event) => (event.type === 'annotation' && event.level === 'error' ? [event.message] : [])),
      conclusionOf: (job) => result.jobs.get(job)?.conclusion,
    };
  } finally {
    repository.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A push workflow with these jobs. */
export function workflow(jobs: string, head = ''): Record<string, string> {
  return { '.github/workflows/main.yml': `name: main\non: push\n${head}\njobs:\n${indent(jobs)}` };
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
