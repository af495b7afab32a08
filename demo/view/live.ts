import type { Conclusion } from '../../test/workflows/executor/model.js';
import type { Entry } from '../recording.js';
import { draw, emptyPicture, type JobPicture, type Picture } from './picture.js';
import { bar, evidenceText, fit, nearness, painter, seconds, strongest, trackText } from './text.js';
import type { View } from './view.js';

/** Redraws at most this often, milliseconds. */
const frame = 100;

/** A view that redraws itself in place in a terminal. */
export function liveView(out: NodeJS.WriteStream): View {
  let picture: Picture | undefined;
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;
  const redraw = () => {
    timer = undefined;
    if (picture === undefined) return;
    const lines = compose(picture, Date.now(), { width: Math.min(out.columns || 80, 110), height: (out.rows || 40) - 2 });
    const up = drawn > 0 ? `\x1b[${drawn}A` : '';
    out.write(`\x1b[?25l${up}${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[0J`);
    drawn = lines.length;
  };
  return {
    begin(title) {
      picture = emptyPicture(title, Date.now());
      drawn = 0;
      out.write('\n');
    },
    entry(entry: Entry) {
      if (picture !== undefined) picture = draw(picture, entry);
      timer ??= setTimeout(redraw, frame);
    },
    end() {
      clearTimeout(timer);
      redraw();
      picture = undefined;
      out.write('\x1b[?25h');
    },
  };
}

const paint = painter(true);
const marks = { success: paint('green', '✓'), failure: paint('red', '✗'), cancelled: paint('yellow', '■'), skipped: paint('dim', '·') };

/** The lines of one frame. Pure. */
export function compose(picture: Picture, now: number, { width, height }: { width: number; height: number }): string[] {
  const clock = seconds(now - picture.startedAt).padStart(8);
  const head = `${paint('bold', fit(picture.title, width - 9).padEnd(width - 9))} ${paint('dim', clock)}`;
  const below = ['', ...trafficLines(picture, width), '', decisionLine(picture, width)];
  const jobs = picture.jobs.flatMap((job) => jobLines(job, now, width));
  // Moving back up works within the screen only.
  return [head, '', ...jobs.slice(-Math.max(1, height - below.length - 2)), ...below];
}

/** A job that has ended takes one line, with the step that went wrong; one that runs shows its steps. */
function jobLines(job: JobPicture, now: number, width: number): string[] {
  const { name, conclusion, steps } = job;
  const wrong = steps.find(({ outcome }) => outcome === 'failure' || outcome === 'cancelled');
  const head = `${line(conclusion, name, job, now)}${wrong && conclusion ? `  ${fit(wrong.name, Math.max(10, width - 40))}` : ''}`;
  if (conclusion !== undefined) return [head];
  return [head, ...steps.map((step) => `  ${line(step.outcome, step.name, step, now)}`)];
}

function line(
  conclusion: Conclusion | undefined,
  name: string,
  { startedAt, endedAt }: { startedAt: number; endedAt: number | undefined },
  now: number,
) {
  const mark = conclusion === undefined ? paint('blue', '▶') : marks[conclusion];
  return `${mark} ${fit(name, 26).padEnd(26)} ${paint('dim', seconds((endedAt ?? now) - startedAt).padStart(7))}`;
}

function trafficLines({ traffic, evidence }: Picture, width: number): string[] {
  if (traffic === undefined) return [];
  const { weight, stable, canary } = traffic;
  const cells = width - 30;
  const canaryCells = Math.round((cells * weight) / 100);
  const split = paint('green', '█'.repeat(cells - canaryCells)) + paint('yellow', '█'.repeat(canaryCells));
  const lines = [`users    ${split} ${100 - weight} % / ${weight} %`];
  if (stable) lines.push(`${paint('green', 'stable')}   ${fit(stable.version, 22).padEnd(22)} ${trackText(stable)}`);
  const bad = canary !== null && canary.errorRate > 0.01;
  if (canary)
    lines.push(
      `${paint('yellow', 'canary')}   ${fit(canary.version, 22).padEnd(22)} ${bad ? paint('red', trackText(canary)) : trackText(canary)}`,
    );
  else lines.push(paint('dim', 'canary   –'));
  const most = strongest(evidence);
  if (most) {
    const near = nearness(most);
    lines.push(`evidence ${paint(near >= 1 ? 'red' : 'blue', bar(near, Math.max(10, width - 48)))} ${evidenceText(most)}`);
  } else lines.push(paint('dim', 'evidence –'));
  return lines;
}

function decisionLine({ decision }: Picture, width: number): string {
  if (decision === undefined) return '';
  const mark =
    decision.outcome === 'pass' || decision.outcome === 'skipped' ? paint('green', decision.outcome) : paint('red', decision.outcome);
  return `${mark} ${fit(`${decision.action}: ${decision.summary}`, width - decision.outcome.length - 1)}`;
}
