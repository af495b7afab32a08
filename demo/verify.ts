import { failedRequests } from '@slipway/sandbox';
import { decisionsOf, largestWeight, type Recording } from './recording.js';
import { imageOf, imageTag } from './scenarios.js';
import { production, productionService, stableImage, type World } from './world.js';

/** One thing that had to be so, and whether the world says it is. */
export interface Check {
  what: string;
  ok: boolean;
  /** What was found. */
  found: string;
}

/** What users had of a release. */
export interface UserImpact {
  /** Requests of users to production while the run was on. */
  requests: number;
  failed: number;
  /** Requests that met the new version. */
  metNewVersion: number;
  /** Seconds in which a request that met the new version failed or, for a release that was taken back, was made at all. */
  badSeconds: number;
  /** From the cancellation until the route led to stable, milliseconds. */
  backAfterCancel: number | undefined;
}

/** How late a change of the route takes effect in the sandbox, with the second's rounding, milliseconds. */
const routeDelay = 1_300;
/** A cancelled run must have users back within this, milliseconds. */
const cancelLimit = 2_000;

export function impactOf({ scenario, startedAt, timeline }: Recording, { sandbox }: World): UserImpact {
  const stats = sandbox.stats(productionService, { from: startedAt, seconds: true });
  const version = imageTag(scenario.tag, scenario.defect);
  const cancelledAt = timeline.find(({ type }) => type === 'cancel')?.at;
  const backAt = timeline.find((entry) => entry.type === 'weight' && entry.weight === 0 && entry.at >= (cancelledAt ?? 0))?.at;
  const isBad = (second: (typeof stats.seconds & object)[number]) => {
    const tally = second.byVersion[version];
    return scenario.expected.released ? failedRequests(tally) > 0 : (tally?.sent ?? 0) > 0;
  };
  return {
    requests: stats.total.sent,
    failed: failedRequests(stats.total),
    metNewVersion: stats.byVersion[version]?.sent ?? 0,
    badSeconds: stats.seconds?.filter(isBad).length ?? 0,
    backAfterCancel: cancelledAt === undefined || backAt === undefined ? undefined : backAt - cancelledAt,
  };
}

/** Compares how a scenario ended with how it had to, by what the sandbox knows, not by what the run says. */
export async function verify(recording: Recording, world: World): Promise<Check[]> {
  const { scenario, conclusion, jobs } = recording;
  const { expected } = scenario;
  const checks = [
    check('the run ended as it should', conclusion === expected.conclusion, `${conclusion}, expected ${expected.conclusion}`),
    ...clusterChecks(recording, world),
    ...trafficChecks(recording, world),
    await releaseCheck(recording, world),
  ];
  if (expected.stopsAt !== undefined) {
    const job = jobs.get(`release / ${expected.stopsAt}`)?.conclusion;
    checks.push(check(`it stopped at ${expected.stopsAt}`, job === 'failure' || job === 'cancelled', `the job ended with ${job}`));
  }
  if (expected.reason !== undefined) {
    const failed = decisionsOf(recording.timeline).find(({ outcome }) => outcome === 'fail' || outcome === 'error');
    checks.push(
      check(
        'the reason was found',
        failed?.reason.includes(expected.reason) === true,
        failed ? `${failed.action}: ${failed.reason}` : 'none',
      ),
    );
  }
  return checks;
}

function clusterChecks(recording: Recording, { sandbox }: World): Check[] {
  const { scenario, finalWeight } = recording;
  const { tag, defect, from, expected } = scenario;
  const wanted = expected.released ? imageOf(tag, defect) : imageOf(from);
  const serving = stableImage(sandbox, production);
  const ready = sandbox.get('Deployment', production, 'shop').status;
  const canary = sandbox.find('Deployment', production, 'shop-canary');
  const largest = largestWeight(recording);
  const [least, most] = expected.weight;
  return [
    check(
      'the right version serves',
      serving === wanted && ready?.availableReplicas === ready?.replicas,
      `${serving}, ${ready?.availableReplicas} of ${ready?.replicas} ready`,
    ),
    check(
      'no canary is left',
      canary === undefined && finalWeight === 0,
      canary ? 'its Deployment is there' : `${finalWeight} % of the route`,
    ),
    check(`at most ${most} % of the users got it`, largest >= least && largest <= most, `${largest} %`),
  ];
}

function trafficChecks(recording: Recording, world: World): Check[] {
  const { scenario, timeline } = recording;
  const stats = world.sandbox.stats(productionService, { from: recording.startedAt, seconds: true });
  const version = imageTag(scenario.tag, scenario.defect);
  const ours = failedRequests(stats.total) - failedRequests(stats.byVersion[version]);
  const checks = [check('no request failed by our own hand', ours === 0, `${ours} of ${stats.total.sent}`)];
  if (scenario.expected.released) {
    const failed = failedRequests(stats.total);
    checks.push(check('no request failed at all', failed === 0, `${failed}`));
  } else {
    const back = timeline.findLast((entry) => entry.type === 'weight' && entry.weight === 0)?.at ?? recording.startedAt;
    const after = world.sandbox.stats(productionService, { from: back + routeDelay }).byVersion[version]?.sent ?? 0;
    checks.push(check('nobody met it afterwards', after === 0, `${after} requests`));
  }
  if (scenario.cancelled) {
    const { backAfterCancel } = impactOf(recording, world);
    const inTime = backAfterCancel !== undefined && backAfterCancel <= cancelLimit;
    checks.push(
      check('users were back within 2 s of the cancellation', inTime, backAfterCancel === undefined ? 'never' : `${backAfterCancel} ms`),
    );
  }
  return checks;
}

/** Asks the GitHub API of the sandbox. */
async function releaseCheck({ scenario }: Recording, { sandbox, repository }: World): Promise<Check> {
  const { tag, expected } = scenario;
  const response = await fetch(`${sandbox.githubUrl}/repos/${repository.name}/releases/tags/${tag}`, {
    headers: { authorization: `Bearer ${sandbox.githubToken}` },
  });
  if (!expected.released) return check('there is no GitHub release', response.status === 404, `status ${response.status}`);
  const release = response.ok ? ((await response.json()) as { body?: string; prerelease?: boolean }) : undefined;
  const complete = release?.body?.includes('Gift cards') === true && release.prerelease === false;
  return check('there is a GitHub release with the notes', complete, release ? String(release.body?.length) : `status ${response.status}`);
}

function check(what: string, ok: boolean, found: string): Check {
  return { what, ok, found };
}
