import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a process needed of the machine. */
export interface Usage {
  /** Largest resident set, bytes. */
  peak: number;
  /** CPU seconds until `steadyAfter`, and the share of one core after it. */
  startUp: number;
  share: number;
  seconds: number;
}

/** Linux counts CPU time in hundredths of a second (USER_HZ), whatever the kernel's own tick is. */
const ticksPerSecond = 100;
const between = 200;

/** Watches a process by /proc until it ends. `steadyAfter`: seconds that count as its start. */
export async function usageOf(pid: number, steadyAfter: number): Promise<Usage> {
  const began = Date.now();
  let peak = 0;
  let steady: { at: number; cpu: number } | undefined;
  let last = { at: began, cpu: 0 };
  for (;;) {
    const seen = look(pid);
    if (!seen) break;
    peak = Math.max(peak, seen.peak);
    last = { at: Date.now(), cpu: seen.cpu };
    if (!steady && last.at - began >= steadyAfter * 1_000) steady = last;
    await sleep(between);
  }
  const from = steady ?? { at: began, cpu: 0 };
  return { peak, startUp: from.cpu, share: (last.cpu - from.cpu) / ((last.at - from.at) / 1_000), seconds: (last.at - began) / 1_000 };
}

/** Undefined when the process has ended. A zombie has no memory any more. */
function look(pid: number): { peak: number; cpu: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kilobytes === undefined) return undefined;
    // proc_pid_stat(5): the name in parentheses may hold anything; utime and stime are the 12th and 13th field after it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { peak: Number(kilobytes) * 1024, cpu: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond };
  } catch {
    return undefined;
  }
}
