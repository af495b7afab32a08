import type { LoggedRequest } from '@slipway/sandbox';
import type { ActionOutcome } from '../run-action.js';
import { type Command, nameOf, type Release } from './releases.js';
import { type Rest, readRest } from './rest.js';
import { openWorld, type World } from './world.js';

/** One command as it went undisturbed. */
export interface RecordedCommand {
  command: Command;
  /** Its requests of the API, in order: each is a point at which it may die. */
  requests: readonly LoggedRequest[];
  code: number | null;
  reason: string;
  rest: Rest;
}

/** A release as it went undisturbed: what every disturbed one is compared with. */
export interface Recording {
  release: Release;
  /** As it was before: where an abort must lead to. */
  before: Rest;
  commands: readonly RecordedCommand[];
}

/** Runs a release undisturbed. Throws when it does not go as it should: nothing could be compared with it. */
export async function record(release: Release): Promise<Recording> {
  const world = await openWorld(release.router);
  try {
    const before = await settledRest(world);
    const commands: RecordedCommand[] = [];
    for (const command of release.commands) commands.push(await recordCommand(world, command));
    const problems = await world.users.problems();
    if (problems.length > 0) throw new Error(`${release.name}, undisturbed: ${problems.join('; ')}`);
    return { release, before, commands };
  } finally {
    await world.end();
  }
}

async function recordCommand(world: World, command: Command): Promise<RecordedCommand> {
  world.sandbox.requestLog.reset();
  const outcome = await world.start(command).finished;
  if (outcome.signal !== null || outcome.result === undefined) throw new Error(`${nameOf(command)}, undisturbed: ${told(outcome)}`);
  const requests = world.sandbox.requestLog.all();
  return { command, requests, code: outcome.code, reason: outcome.result.reason, rest: await settledRest(world) };
}

/** The world when nothing moves any more: the same at five looks in a row. */
async function settledRest({ sandbox }: World): Promise<Rest> {
  let rest = readRest(sandbox);
  for (let unchanged = 0; unchanged < 5; ) {
    await sandbox.settled();
    const next = readRest(sandbox);
    unchanged = JSON.stringify(next) === JSON.stringify(rest) ? unchanged + 1 : 0;
    rest = next;
  }
  return rest;
}

/** 1 to the number of requests of the command that has most: one release disturbs each of its commands once. */
export function numbersOfRequests({ commands }: Recording): number[] {
  const disturbed = commands.filter(({ command }) => !command.prelude);
  return Array.from({ length: Math.max(...disturbed.map(({ requests }) => requests.length)) }, (_, index) => index + 1);
}

/** What a command said of its end, for messages. */
export function told({ code, signal, result, stdout, stderr }: ActionOutcome): string {
  const end = signal ?? `exit ${code}`;
  return result ? `${end}, ${result.outcome} ${result.reason}: ${result.summary}` : `${end}: ${(stdout + stderr).trim().slice(-800)}`;
}

/** `PATCH /apis/…/virtualservices/shop`, without the parts that are the same everywhere. */
export function requestWords({ method, path }: Pick<LoggedRequest, 'method' | 'path'>): string {
  return `${method} ${path.replace(/^\/apis?\/.*\/namespaces\/shop\//, '')}`;
}
