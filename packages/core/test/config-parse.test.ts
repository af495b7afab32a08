import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../src/config/parse.js';
import type { Problem } from '../src/index.js';

const complete = readFileSync(new URL('./fixtures/slipway.yml', import.meta.url), 'utf8');
const minimal = 'version: 1\nenvironments:\n  production: { namespace: shop }\nservices:\n  shop: {}\n';

function parsed(text: string) {
  const result = parseConfig(text);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result;
}

/** `line:column where message`. */
function problems(text: string): string[] {
  const result = parseConfig(text);
  if (!('problems' in result)) throw new Error('nothing was refused');
  return result.problems.map(({ line, column, where, message }) => `${line}:${column} ${where} ${message}`);
}

function firstProblem(text: string): Omit<Problem, 'file'> {
  const result = parseConfig(text);
  const [first] = 'problems' in result ? result.problems : [];
  if (!first) throw new Error('nothing was refused');
  return first;
}

/** The minimal file with lines under `shop:`, which is line 5; they begin on line 6. */
const withService = (lines: string) => minimal.replace('shop: {}\n', `shop:\n${lines.replace(/^/gm, '    ')}\n`);

describe('a complete file', () => {
  it('becomes typed settings in milliseconds and fractions', () => {
    expect(parsed(complete).config).toEqual({
      version: 1,
      release: { tagPrefix: 'v', changelog: 'CHANGELOG.md' },
      environments: { staging: { namespace: 'shop-staging' }, production: { namespace: 'shop', context: 'prod' } },
      services: {
        shop: {
          workload: 'shop',
          container: 'web',
          service: 'shop-web',
          metricsPort: 8080,
          traffic: {
            router: 'istio',
            virtualServices: ['shop'],
            destinationRule: 'shop',
            route: 'primary',
            protocol: 'http',
            stableSubset: 'stable',
            canarySubset: 'canary',
            header: 'x-canary',
            gitopsIgnoresWeights: false,
          },
          strategy: 'canary',
          engine: 'native',
          splitCheck: 'measured',
          steps: [
            { weight: 10, mirror: 0, match: true, duration: 300_000, maxErrorRate: 0.01, pause: false },
            { weight: 50, mirror: 0, match: true, duration: 600_000, maxErrorRate: 0.005, pause: false },
          ],
          readyTimeout: 300_000,
          drain: 5000,
          scaleDownDelay: 0,
          abortScaleDownDelay: 0,
          rollbackWindow: 0,
          maxSnapshots: 5,
          analysis: {
            judge: 'anytime-valid',
            provider: 'prometheus',
            prometheus: {
              url: 'http://prometheus.monitoring:9090',
              requests: 'http_requests_total',
              errorSelector: 'code=~"5.."',
              latency: 'http_request_duration_seconds',
              selector: '',
              podLabel: 'pod',
              lag: 15_000,
              history: 3_600_000,
            },
            window: 10_000,
            warmUp: 60_000,
            falseRollbackBudget: 0.05,
            maxErrorRatio: 1.25,
            errorMargin: 0.0002,
            passRatio: 2,
            passMargin: 0.005,
            latencySlo: 500,
            onNodata: 'hold',
            onInconclusive: 'hold',
            threshold: { errorDifference: 0.005, p99Ratio: 1.1, minRequests: 100 },
          },
          triggers: {
            errorRate: { above: 0.05, for: 120_000 },
            latencyP99: { above: 5000, for: 300_000 },
            healthFailures: { above: 3, within: 60_000 },
            restarts: { above: 5, within: 300_000 },
            minRequests: 20,
          },
        },
      },
    });
  });
});

describe('defaults', () => {
  it('are those of the complete file, but for what it chooses', () => {
    const { shop } = parsed(minimal).config.services;
    const { shop: full } = parsed(complete).config.services;
    expect(shop).toEqual({
      ...full,
      container: undefined,
      metricsPort: undefined,
      service: 'shop',
      traffic: { router: 'replicas', gitopsIgnoresWeights: false },
      steps: full?.steps.map((step) => ({ ...step, match: false })),
      analysis: { ...full?.analysis, provider: 'pods', prometheus: undefined, latencySlo: undefined },
    });
    expect(shop).not.toHaveProperty('container');
    expect(shop?.analysis).not.toHaveProperty('latencySlo');
    expect(parsed(minimal).config.release).toEqual({ tagPrefix: 'v', changelog: 'CHANGELOG.md' });
  });

  it('of the names are the name of the service', () => {
    const { traffic } = parsed(withService('traffic: { router: istio }')).config.services.shop ?? {};
    expect(traffic).toEqual({
      router: 'istio',
      virtualServices: ['shop'],
      destinationRule: 'shop',
      protocol: 'http',
      stableSubset: 'stable',
      canarySubset: 'canary',
      gitopsIgnoresWeights: false,
    });
  });

  it('of a router are the same when it is only named', () => {
    const named = (lines: string) => parsed(withService(lines)).config.services.shop?.traffic;
    for (const router of ['istio', 'gateway-api', 'nginx', 'replicas']) {
      expect(named(`traffic: ${router}`)).toEqual(named(`traffic: { router: ${router} }`));
    }
    expect(named('traffic: nginx')).toEqual({
      router: 'nginx',
      ingress: 'shop',
      canaryService: 'shop-canary',
      gitopsIgnoresWeights: false,
    });
  });

  it('of the steps depend on the strategy', () => {
    const weights = (strategy: string, traffic = 'istio') =>
      parsed(withService(`strategy: ${strategy}\ntraffic: ${traffic}`)).config.services.shop?.steps.map(({ weight, mirror }) => [
        weight,
        mirror,
      ]);
    expect(weights('blue-green', 'replicas')).toEqual([
      [0, 0],
      [100, 0],
    ]);
    expect(weights('shadow')).toEqual([[0, 0.1]]);
    expect(weights('rolling')).toEqual([]);
  });
});

describe('what is wrong', () => {
  const table: [name: string, text: string, problems: string[]][] = [
    ['an empty file', '', ['1:1  is empty']],
    ['only a comment', '# nothing\n', ['1:1  is empty']],
    ['a text', 'hello', ['1:1  "hello" is not accepted']],
    ['a list', '- a\n', ['1:1  a list is not accepted here']],
    ['no YAML', 'a: [1,\n', ['2:1  is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]']],
    ['a key twice', `${minimal}version: 1\n`, ['6:1  the key "version" is there already; keys are unique in a map']],
    ['two documents', `${minimal}---\n${minimal}`, ['6:1  holds a second document; one is the most']],
    [
      'an unknown tag',
      minimal.replace('shop }', '!!js/function x }'),
      [expect.stringMatching(/^3:28 {2}is not YAML: Unresolved tag/) as unknown as string],
    ],
    ['a missing part', 'version: 1\nservices: { shop: {} }\n', ['1:1 environments is missing']],
    ['an empty part', minimal.replace('  shop: {}\n', ''), ['4:10 services is empty']],
    ['no service', minimal.replace('\n  shop: {}', ' {}'), ['4:11 services is an empty map']],
    ['another version', minimal.replace('1', '2'), ['1:10 version 2 is not accepted']],
    [
      'an unknown key at the top',
      minimal.replace('services:', 'service:'),
      ['1:1 services is missing', '4:1 service the key "service" is not known; did you mean "services"?'],
    ],
    [
      'an unknown key inside',
      withService('steps:\n  - { wieght: 10, duration: 5m }'),
      ['7:11 services.shop.steps[0].wieght the key "wieght" is not known; did you mean "weight"?'],
    ],
    [
      'keys of another router',
      withService('traffic: { router: replicas, virtual-service: shop }'),
      ['6:34 services.shop.traffic.virtual-service the key "virtual-service" is not known'],
    ],
    [
      'an unknown router',
      withService('traffic: { router: itsio }'),
      ['6:24 services.shop.traffic.router "itsio" is not accepted; did you mean "istio"?'],
    ],
    ['a router that is left out', withService('traffic: { header: x-canary }'), ['6:14 services.shop.traffic.router is missing']],
    [
      'an unknown choice',
      withService('analysis:\n  judge: treshold'),
      ['7:14 services.shop.analysis.judge "treshold" is not accepted; did you mean "threshold"?'],
    ],
    ['a duration without unit', withService('drain: 5'), ['6:12 services.shop.drain 5 is not accepted']],
    [
      'a duration that is too short',
      withService('analysis:\n  window: 10ms'),
      ['7:15 services.shop.analysis.window "10ms" is not accepted'],
    ],
    [
      'a percentage without sign',
      withService('analysis: { error-margin: 5 }'),
      ['6:31 services.shop.analysis.error-margin 5 is not accepted'],
    ],
    [
      'a budget of 0',
      withService('analysis: { false-rollback-budget: 0 }'),
      ['6:40 services.shop.analysis.false-rollback-budget 0 is not accepted'],
    ],
    [
      'not a number',
      withService('analysis: { max-error-ratio: .nan }'),
      [expect.stringMatching(/^6:34 services\.shop\.analysis\.max-error-ratio /) as unknown as string],
    ],
    [
      'weights that do not ascend',
      withService('steps:\n  - { weight: 50, duration: 5m }\n  - { weight: 50, duration: 5m }'),
      ['8:19 services.shop.steps[1].weight 50 does not come after 50: weights ascend'],
    ],
    [
      'a weight of 100 by pods alone',
      withService('steps: [{ weight: 100, duration: 5m }]'),
      ['6:23 services.shop.steps[0].weight 100 % cannot be had by counting pods: the former pods would be gone, not kept warm'],
    ],
    [
      'a weight of 100 before other steps',
      withService('traffic: istio\nsteps: [{ weight: 100, duration: 5m }, { weight: 50, duration: 5m }]'),
      [
        '7:23 services.shop.steps[0].weight 100 comes before other steps',
        '7:54 services.shop.steps[1].weight 50 does not come after 100: weights ascend',
      ],
    ],
    [
      'a step that nobody meets',
      withService('traffic: istio\nsteps: [{ duration: 5m }]'),
      ['7:13 services.shop.steps[0].weight nobody would meet the canary'],
    ],
    [
      'a mirror without a mesh',
      withService('strategy: shadow'),
      ['6:5 services.shop.steps[0].mirror the router replicas cannot mirror requests'],
    ],
    [
      'half of a blue/green switch',
      withService('strategy: blue-green\nsteps: [{ weight: 50, duration: 5m }]'),
      ['7:23 services.shop.steps[0].weight 50 % is not all or nothing'],
    ],
    [
      'steps of a rolling update',
      withService('strategy: rolling\nsteps: [{ weight: 50, duration: 5m }]'),
      ['7:12 services.shop.steps a rolling update has no steps'],
    ],
    ['a router that is none', withService('traffic: isto'), ['6:14 services.shop.traffic "isto" is not accepted; did you mean "istio"?']],
    [
      'a step shorter than a window',
      withService('steps: [{ weight: 10, duration: 5s }]'),
      ['6:37 services.shop.steps[0].duration 5s is shorter than one window of analysis'],
    ],
    ['no steps', withService('steps: []'), ['6:12 services.shop.steps is an empty list']],
    [
      'prometheus without a server',
      withService('analysis: { provider: prometheus }'),
      ['6:15 services.shop.analysis.prometheus is missing: the provider is prometheus'],
    ],
    ['a name that Kubernetes refuses', minimal.replace('shop: {}', 'Shop_1: {}'), ['5:3 services.Shop_1 "Shop_1" is no name for an entry']],
    [
      'subsets that are the same',
      withService('traffic: { router: istio, canary-subset: stable }'),
      ['6:46 services.shop.traffic.canary-subset "stable" is also the stable subset'],
    ],
    [
      'a control character in a name',
      minimal.replace('production', '"a\\nb"'),
      [expect.stringContaining('is no name for an entry') as unknown as string],
    ],
  ];
  it.each(table)('%s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it('is one problem where a value is wrong in two ways', () => {
    expect(problems(withService('drain: fast'))).toHaveLength(1);
  });

  it('is a pass that rules out less than is tolerated', () => {
    expect(problems(withService('analysis: { pass-ratio: 1, pass-margin: 0.01% }'))).toEqual([
      '6:29 services.shop.analysis.pass-ratio 1 is below what is tolerated (max-error-ratio 1.25)',
      '6:45 services.shop.analysis.pass-margin 0.01% is below what is tolerated (error-margin 0.02%)',
    ]);
  });

  it('is found in a moment among tens of thousands of keys', () => {
    const started = performance.now();
    const many = Array.from({ length: 60_000 }, (_, key) => `k${key}: 1`).join('\n');
    expect(problems(many).length).toBeGreaterThan(1);
    expect(problems(`${many}\nk1: 2`)[0]).toContain('the key "k1" is there already');
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('is depth, also when the parser runs out of stack inside', () => {
    expect(problems('['.repeat(100_000))).toEqual(['1:1  is nested too deeply to be a configuration']);
  });

  it('is told all at once', () => {
    const text = withService('drain: soon\nworklaod: x\nready-timeout: 1\nanalysis: { judge: x, on-nodata: pass }');
    expect(problems(text).map((problem) => problem.split(' ')[0])).toEqual(expect.arrayContaining(['6:12', '7:5', '8:20', '9:24', '9:38']));
  });

  it('is told with what is allowed', () => {
    expect(firstProblem(withService('drain: 5')).allowed).toBe('a number with its unit: 500ms, 90s, 5m, 1h30m or 2d');
    expect(firstProblem(withService('analysis: { on-nodata: pass }')).allowed).toBe('hold, fail');
    expect(firstProblem(minimal.replace('{}', '{ x: 1 }')).allowed).toContain('workload, container, service');
  });
});

describe('aliases', () => {
  it('may share settings', () => {
    const text = minimal.replace('shop: {}', 'shop: &s { drain: 7s }\n  cart: *s');
    expect(parsed(text).config.services.cart).toMatchObject({ drain: 7000, workload: 'cart' });
  });

  it('are followed to the line that is wrong', () => {
    const text = minimal.replace('shop: {}', 'shop: &s { drain: 7 }\n  cart: *s');
    expect(problems(text)).toEqual(['5:21 services.shop.drain 7 is not accepted', '5:21 services.cart.drain 7 is not accepted']);
  });

  it('that multiply are refused at once', () => {
    const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(',')}]\n`;
    const bomb = `a: &a [x,x]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}${level('e', 'd')}${level('f', 'e')}${level('g', 'f')}${level('h', 'g')}`;
    const started = performance.now();
    expect(problems(bomb)).toEqual([expect.stringMatching(/^2:8 {2}its aliases are refused: Excessive alias count/)]);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('in a circle are refused', () => {
    expect(problems('version: &a [*a]\n')[0]).toMatch(/^1:/);
  });
});

describe('deep nesting', () => {
  it('is refused, not a crash', () => {
    const [problem] = problems('['.repeat(100_000));
    expect(problem).toMatch(/^1:\d+ {2}(is nested too deeply|is not YAML)/);
  });
});
