/** One release of the shop, and what must have become of it in the end. */
export interface Scenario {
  name: string;
  /** One line for `--list` and the head of the view. */
  title: string;
  /** The version that all users meet before. */
  from: string;
  /** The tag that starts the run; also the version of the image. */
  tag: string;
  /** What is wrong with the image, as words of its tag; the sandbox's pods behave as their tag says. */
  defect?: string;
  /** `missing`: the version's section is only inside a code fence. */
  changelog?: 'missing';
  /** The run is cancelled while users meet the canary. */
  cancelled?: true;
  expected: Expectation;
}

export interface Expectation {
  /** Of the whole run. */
  conclusion: 'success' | 'failure' | 'cancelled';
  /** Whether all users meet the new version in the end. */
  released: boolean;
  /** The largest share of users that the new version may have got, percent: `[least, most]`. */
  weight: [number, number];
  /** The first job that did not succeed. */
  stopsAt?: 'gate' | 'staging' | 'production';
  /** Which action said so, and why. */
  reason?: string;
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'good',
    title: 'v1.4.0 is a good release',
    from: 'v1.3.0',
    tag: 'v1.4.0',
    expected: { conclusion: 'success', released: true, weight: [50, 50] },
  },
  {
    name: 'bad-errors',
    title: 'v1.5.0 answers 10 % of its requests with an error',
    from: 'v1.4.0',
    tag: 'v1.5.0',
    defect: 'errors-10pct',
    expected: { conclusion: 'failure', released: false, weight: [10, 10], stopsAt: 'production', reason: 'ERROR' },
  },
  {
    name: 'slow',
    title: 'v1.5.0 answers half as fast (p99 doubled)',
    from: 'v1.4.0',
    tag: 'v1.5.0',
    defect: 'slow-2x',
    expected: { conclusion: 'failure', released: false, weight: [10, 50], stopsAt: 'production', reason: 'LATENCY' },
  },
  {
    name: 'crash-loop',
    title: 'v1.5.0 does not even start',
    from: 'v1.4.0',
    tag: 'v1.5.0',
    defect: 'crash',
    expected: { conclusion: 'failure', released: false, weight: [0, 0], stopsAt: 'staging', reason: 'CRASH' },
  },
  {
    name: 'bad-changelog',
    title: 'the changelog shows v1.5.0 only in a code example',
    from: 'v1.4.0',
    tag: 'v1.5.0',
    changelog: 'missing',
    expected: { conclusion: 'failure', released: false, weight: [0, 0], stopsAt: 'gate', reason: 'IN_CODE' },
  },
  {
    name: 'invalid-version',
    title: 'the tag is v1.5, which is no version',
    from: 'v1.4.0',
    tag: 'v1.5',
    expected: { conclusion: 'failure', released: false, weight: [0, 0], stopsAt: 'gate', reason: 'MISSING_PART' },
  },
  {
    name: 'cancelled',
    title: 'the run of v1.5.0 is cancelled while 10 % of the users meet it',
    from: 'v1.4.0',
    tag: 'v1.5.0',
    cancelled: true,
    expected: { conclusion: 'cancelled', released: false, weight: [10, 10], stopsAt: 'production' },
  },
];

/** What `npm run demo` plays when nothing is asked for: in one world, one after the other. */
export const defaultScenarios: readonly string[] = ['good', 'bad-errors'];

/** Image of a scenario's release, and of the version before it. */
export function imageOf(tag: string, defect?: string): string {
  return `registry.example/shop:${imageTag(tag, defect)}`;
}

export function imageTag(tag: string, defect?: string): string {
  return defect === undefined ? tag : `${tag}-${defect}`;
}
