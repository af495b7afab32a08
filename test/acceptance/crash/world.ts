import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, shop, startSandbox } from '@slipway/sandbox';
import { type RunningAction, startAction } from '../run-action.js';
import { type Command, former, image, type Release } from './releases.js';
import { UsersWatch } from './users-watch.js';

/** How a command is run: as which attempt of its job, and with what clock. */
export interface How {
  attempt?: number;
  job?: string;
  phase?: 'main' | 'post';
  state?: Record<string, string>;
  clock?: Clock;
}

/** What is wrong with the clock of a command. */
export interface Clock {
  /** Milliseconds that it is ahead. */
  shift?: number;
  /** How many times as fast it goes. */
  rate?: number;
  /** When its time began to go at that rate, Unix milliseconds; the same for commands that follow each other. */
  origin?: number;
  /** Longest wait for one answer, milliseconds. */
  answerTimeout?: number;
}

/** A sandbox with a shop that has users, a checkout to release it from, and a watch over its users. */
export interface World {
  sandbox: Sandbox;
  users: UsersWatch;
  start(command: Command, how?: How): RunningAction;
  /** A clock that agrees with those of the commands before, and goes no faster than real ones: for what is measured. */
  realPace(): Clock;
  end(): Promise<void>;
}

const replicas = 4;
/** How many times as fast time goes for a command: it looks whether pods are ready each second, and drains for two. */
const usualRate = 4;

/** Short steps, no warm-up: what matters here is the order of requests. */
function slipwayYml(router: Release['router']): string {
  return `version: 1
environments: { production: { namespace: shop } }
services:
  shop:
    traffic: { router: ${router} }
    split-check: objects
    steps:
      - { weight: 10, duration: 20s }
      - { weight: 50, duration: 20s }
    ready-timeout: 90s
    drain: 0s
    analysis: { window: 1s, warm-up: 0s }
`;
}

export async function openWorld(router: Release['router']): Promise<World> {
  const sandbox = await startSandbox({ readyDelay: 50, stopDelay: 300, applyDelay: 50, endpointDelay: 50, tick: 25 });
  const origin = Date.now();
  const cwd = mkdtempSync(join(tmpdir(), 'slipway-crash-'));
  mkdirSync(join(cwd, '.github'));
  writeFileSync(join(cwd, '.github/slipway.yml'), slipwayYml(router));
  const kubeconfig = sandbox.writeKubeconfig(join(cwd, 'kubeconfig'));
  await shop(sandbox, { router, replicas, rps: 60, image: image(former), namespaces: ['shop'] });
  return {
    sandbox,
    users: new UsersWatch(sandbox),
    start: ({ entry, inputs, job: usual }, { attempt = 1, job = usual, phase = 'main', state = {}, clock = {} } = {}) =>
      startAction({
        entry,
        inputs: { environment: 'production', ...inputs },
        cwd,
        phase,
        state,
        env: {
          KUBECONFIG: kubeconfig,
          GITHUB_JOB: job,
          GITHUB_RUN_ATTEMPT: String(attempt),
          ...clockEnvironment({ rate: usualRate, origin, ...clock }),
        },
      }),
    realPace: () => ({ rate: 1, shift: (usualRate - 1) * (Date.now() - origin) }),
    async end() {
      await sandbox.stop();
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}

function clockEnvironment(clock: Clock): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${new URL('preload/clock.mjs', import.meta.url).href}`,
    // Hundreds of processes load the same bundle.
    NODE_COMPILE_CACHE: join(tmpdir(), 'slipway-crash-compile-cache'),
    SLIPWAY_TEST_CLOCK_SHIFT: String(clock.shift ?? 0),
    SLIPWAY_TEST_CLOCK_RATE: String(clock.rate ?? 1),
    ...(clock.origin === undefined ? {} : { SLIPWAY_TEST_CLOCK_ORIGIN: String(clock.origin) }),
    ...(clock.answerTimeout === undefined ? {} : { SLIPWAY_TEST_ANSWER_TIMEOUT: String(clock.answerTimeout) }),
  };
}
