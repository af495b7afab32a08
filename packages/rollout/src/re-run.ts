/**
 * Whether `holder` is a later attempt of the job that made the step `by`. Both are `owner/repo/run_id/attempt/job`; anything else (a shell's
 * `user@host/pid`) is never a re-run. Pure.
 *
 * Without this, "Re-run failed jobs" on a job whose step was in place already would move on to the next weight, unwatched.
 */
export function isReRun(by: string | null, holder: string): boolean {
  const before = by === null ? undefined : jobOf(by);
  const now = jobOf(holder);
  return before !== undefined && now !== undefined && before.job === now.job && now.attempt > before.attempt;
}

function jobOf(holder: string): { job: string; attempt: number } | undefined {
  const match = /^([^/]+\/[^/]+\/\d+)\/(\d+)\/(.+)$/.exec(holder);
  if (!match) return undefined;
  const [, run = '', attempt = '', job = ''] = match;
  return { job: `${run}/${job}`, attempt: Number(attempt) };
}
