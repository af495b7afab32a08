import { describe, expect, it } from '@jest/globals';
import { createJudge, formatReplay, replay } from '../src/index.js';
import { simulate, traceText } from './simulate.js';

const judge = createJudge();
const header = '{"trace":"t","window":10,"steps":[{"at":0,"weight":5}],"bounds":[0.1],"end":30}';
const counts = '{"n":10,"e":1,"b":[5]}';

describe('replay', () => {
  it('prints one line per trace, several traces in a file', () => {
    const text = [
      traceText(simulate(1, { history: 60 }, 'good')),
      '\n',
      traceText(simulate(2, { history: 60, canary: () => ({ errors: 0.2, median: 0.1 }) }, 'bad')),
      traceText(
        simulate(3, { history: 0, stable: () => ({ errors: 0.001, median: 0.1 }), canary: () => ({ errors: 0.001, median: 0.3 }) }, 'slow'),
      ),
      traceText(simulate(4, { pods: 4, history: 60, canary: (_, pod) => ({ errors: pod === 1 ? 0.4 : 0.01, median: 0.1 }) }, 'one pod')),
      `${header.replace('"t"', '"blind"')}\n{"t":10,"stable":null,"canary":null}\n{"t":20,"stable":${counts},"canary":null}\n`,
    ].join('');
    expect(formatReplay(replay(text, 'traces.jsonl', judge))).toBe(
      [
        '{"trace":"good","verdict":"pass","at":null,"metric":null,"scope":"release","rollback":false}',
        '{"trace":"bad","verdict":"fail","at":30,"metric":"errors","scope":"release","rollback":true}',
        '{"trace":"slow","verdict":"fail","at":70,"metric":"latency","scope":"release","rollback":true}',
        '{"trace":"one pod","verdict":"fail","at":70,"metric":"errors","scope":"pod:pod-1","rollback":true}',
        '{"trace":"blind","verdict":"nodata","at":null,"metric":null,"scope":"release","rollback":false}',
        '',
      ].join('\n'),
    );
  });

  it('accepts the format as documented, to the letter', () => {
    const text = [
      '{"trace":"id","window":10,"steps":[{"at":0,"weight":5},{"at":300,"weight":20}],"bounds":[0.005,0.01],"end":900}',
      '{"h":{"n":950,"e":9,"b":[10,20]}}',
      '{"t":10,"stable":{"n":950,"e":9,"b":[1,2]},"canary":{"n":50,"e":1,"b":[0,1]},"pods":[{"id":"a","age":10,"n":25,"e":1,"b":[0,1]}]}',
      '{"t":20,"stable":null,"canary":null}',
    ].join('\r\n');
    expect(replay(text, 'f', judge)).toEqual([
      { trace: 'id', verdict: 'inconclusive', at: null, metric: null, scope: 'release', rollback: false },
    ]);
  });

  it('takes a byte order mark for what it is', () => {
    expect(replay(`\uFEFF${header}`, 'f', judge)).toHaveLength(1);
  });

  it.each<[string, string[], string, RegExp]>([
    ['no JSON', [header, '{"t":10,'], 'f:2', /is not JSON/],
    ['a list', [header, '[]'], 'f:2', /the line is \[\]/],
    ['a window first', [`{"t":10,"stable":${counts},"canary":null}`], 'f:1', /comes before any trace header/],
    [
      'history after a window',
      [header, `{"t":10,"stable":${counts},"canary":null}`, `{"h":${counts}}`],
      'f:3',
      /history after the first window/,
    ],
    [
      'time that stands still',
      [header, '{"t":10,"stable":null,"canary":null}', '', '{"t":10,"stable":null,"canary":null}'],
      'f:4',
      /t is 10, not after 10/,
    ],
    ['a forgotten track', [header, `{"t":10,"stable":${counts}}`], 'f:2', /canary is missing/],
    ['a string for a number', [header, '{"t":10,"stable":{"n":"10","e":0,"b":[1]},"canary":null}'], 'f:2', /stable.n is "10"/],
    [
      'more errors than requests',
      [header, '{"t":10,"stable":{"n":1,"e":2,"b":[1]},"canary":null}'],
      'f:2',
      /cannot be: 2 errors in 1 requests/,
    ],
    [
      'buckets that fall',
      [header.replace('[0.1]', '[0.1,0.2]'), '{"t":10,"stable":{"n":9,"e":2,"b":[5,4]},"canary":null}'],
      'f:2',
      /holds 4, less than the 5/,
    ],
    ['too few buckets', [header, '{"t":10,"stable":{"n":9,"e":2,"b":[]},"canary":null}'], 'f:2', /0 latency buckets for 1 bounds/],
    [
      'a pod without a name',
      [header, `{"t":10,"stable":${counts},"canary":${counts},"pods":[{"age":1,"n":1,"e":0,"b":[0]}]}`],
      'f:2',
      /pods\[0\].id is missing/,
    ],
    ['a window of no length', [header.replace('"window":10', '"window":0')], 'f:1', /window is 0/],
    ['unsorted bounds', [header.replace('[0.1]', '[0.2,0.1]')], 'f:1', /bounds are not ascending/],
    ['a weight above 100', [header.replace('"weight":5', '"weight":500')], 'f:1', /steps\[0\].weight is 500/],
    ['a number beyond all', [header, '{"t":1e999,"stable":null,"canary":null}'], 'f:2', /t is Infinity/],
    ['nothing', [], 'f:1', /holds no trace/],
  ])('names file and line of %s', (_, lines, where, message) => {
    try {
      replay(lines.join('\n'), 'f', judge);
      throw new Error('was accepted');
    } catch (error) {
      expect(error).toMatchObject({
        name: 'UsageError',
        problems: [{ where: '', file: 'f', line: Number(where.slice(2)) }],
      });
      expect((error as Error).message).toMatch(message);
    }
  });
});
