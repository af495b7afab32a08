import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/node24.mjs';
import { play } from './play.js';
import { checkLines, isAsExpected, type Outcome, summaryTable } from './report.js';
import { defaultScenarios, imageOf, type Scenario, scenarios } from './scenarios.js';
import { impactOf, verify } from './verify.js';
import { liveView } from './view/live.js';
import { plainView } from './view/plain.js';
import { createWorld, stableImage, type World } from './world.js';

const usage = `Plays releases of a small shop: the shipped release workflow with the committed dist, in a sandbox on this machine.

  npm run demo -- [options]

  --scenario NAME   one of --list; may be repeated (default: ${defaultScenarios.join(', ')})
  --list            the scenarios
  --json FILE       write the timeline: every decision, every write to the Kubernetes API, what users met
  --plain           lines instead of the live view

Exit code 0: everything ended as it should, by the sandbox's own statistics. 1: it did not. 130: interrupted.
`;

/** Plays the scenarios one after the other; one that begins where the last one ended goes on in its world. */
async function playAll(chosen: readonly Scenario[], plain: boolean, signal: AbortSignal): Promise<Outcome[]> {
  const view = plain ? plainView(process.stdout) : liveView(process.stdout);
  const outcomes: Outcome[] = [];
  let world: World | undefined;
  try {
    for (const [index, scenario] of chosen.entries()) {
      if (signal.aborted) break;
      world = await worldFor(scenario, world);
      view.begin(`${index + 1} of ${chosen.length}: ${scenario.title}`);
      const recording = await play(scenario, world, view.entry, signal);
      view.end();
      outcomes.push({ recording, checks: await verify(recording, world), impact: impactOf(recording, world) });
    }
  } finally {
    view.end();
    await world?.stop();
  }
  return outcomes;
}

async function worldFor(scenario: Scenario, world: World | undefined): Promise<World> {
  const goesOn = world && ['shop', 'shop-staging'].every((namespace) => stableImage(world.sandbox, namespace) === imageOf(scenario.from));
  if (world && goesOn) return world;
  await world?.stop();
  return createWorld(scenario.from);
}

function choose(names: readonly string[]): Scenario[] {
  return names.map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found === undefined)
      throw new Error(`there is no scenario ${name}; there are ${scenarios.map((scenario) => scenario.name).join(', ')}`);
    return found;
  });
}

/** Before minutes are spent on what cannot be kept. What is in the file stays until there is something new. */
function refuseUnwritable(file: string): void {
  try {
    closeSync(openSync(file, 'a'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`--json ${file} cannot be written: ${why}. Name a file in a directory that exists.`, { cause });
  }
}

function writeTimeline(file: string, outcomes: readonly Outcome[]): void {
  const played = outcomes.map(({ recording, checks, impact }) => {
    const { scenario, startedAt, endedAt, conclusion, jobs, timeline } = recording;
    return { scenario, startedAt, endedAt, conclusion, jobs: Object.fromEntries(jobs), checks, impact, timeline };
  });
  writeFileSync(file, `${JSON.stringify({ schema: 1, scenarios: played }, null, 1)}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true, default: [...defaultScenarios] },
      list: { type: 'boolean', default: false },
      json: { type: 'string' },
      plain: { type: 'boolean', default: !process.stdout.isTTY },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) process.stdout.write(usage);
  if (values.list) process.stdout.write(scenarios.map(({ name, title }) => `${name.padEnd(16)} ${title}\n`).join(''));
  if (values.help || values.list) return 0;
  if (!existsSync(join(root, 'dist', 'cluster', 'index.js'))) throw new Error('dist is not there: run `npm run build`');
  if (values.json !== undefined) refuseUnwritable(values.json);
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const outcomes = await playAll(choose(values.scenario), values.plain, interrupt.signal);
  for (const outcome of outcomes) {
    process.stdout.write(`\n${outcome.recording.scenario.title}\n${checkLines(outcome, true).join('\n')}\n`);
  }
  process.stdout.write(`\n${summaryTable(outcomes)}\n`);
  if (values.json !== undefined) writeTimeline(values.json, outcomes);
  if (interrupt.signal.aborted) return 130;
  return outcomes.every(isAsExpected) ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  if (process.env.DEBUG) console.error(error);
  return 2;
});
