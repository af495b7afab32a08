import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import compareSemver from 'semver/functions/compare.js';
import { choosePrevious, compareVersions, formatVersion, judgeSuccession, nextLegal } from '../src/index.js';
import { anyVersion } from './arbitraries.js';
import { versionOf } from './version-of.js';

const judge = (previous: string, version: string) => judgeSuccession(versionOf(version), versionOf(previous));

describe('what may come next', () => {
  it.each([
    ['1.2.3', '1.2.4', 'patch'],
    ['1.2.3', '1.3.0', 'minor'],
    ['1.2.3', '2.0.0', 'major'],
    ['1.2.3', '1.3.0-alpha.1', 'minor'],
    ['1.2.3', '1.3.0-rc.0', 'minor'],
    ['1.2.3', '2.0.0-beta.1+abc1234', 'major'],
    ['1.3.0-alpha.1', '1.3.0-alpha.2', 'prerelease'],
    ['1.3.0-alpha.4', '1.3.0-beta.1', 'prerelease'],
    ['1.3.0-alpha.4', '1.3.0-rc.1', 'prerelease'],
    ['1.3.0-rc.2', '1.3.0', 'release'],
    ['1.3.0-rc.2', '2.0.0', 'major'],
    ['1.3.0-rc.2', '1.4.0-alpha.1', 'minor'],
    ['1.2.4-rc.1', '1.3.0', 'minor'],
    ['0.9.9', '0.10.0', 'minor'],
  ])('%s → %s is %s', (previous, version, bump) => {
    expect(judge(previous, version)).toEqual({ legal: true, bump });
  });

  it.each([
    ['1.2.3', '1.2.3', 'ALREADY_RELEASED'],
    ['1.2.3', '1.2.3+abc1234', 'SAME_PRECEDENCE'],
    ['1.2.3+abc1234', '1.2.3+def5678', 'SAME_PRECEDENCE'],
    ['1.2.3', '1.2.2', 'NOT_GREATER'],
    ['1.2.3', '1.2.3-rc.1', 'NOT_GREATER'],
    ['1.3.0-rc.3', '1.3.0-rc.2', 'NOT_GREATER'],
    ['1.3.0-rc.2', '1.3.0-beta.3', 'STAGE_WENT_BACK'],
    ['1.3.0-beta.1', '1.3.0-alpha.9', 'STAGE_WENT_BACK'],
    ['1.2.3', '1.2.5', 'SKIPPED_NUMBER'],
    ['1.2.3', '1.4.0', 'SKIPPED_NUMBER'],
    ['1.2.3', '3.0.0', 'SKIPPED_NUMBER'],
    ['1.3.0-rc.1', '1.3.0-rc.3', 'SKIPPED_NUMBER'],
    ['1.2.3', '1.3.0-rc.2', 'SKIPPED_NUMBER'],
    ['1.3.0-rc.1', '1.4.0', 'SKIPPED_NUMBER'],
    ['1.3.0-rc.1', '1.3.1-alpha.1', 'SKIPPED_NUMBER'],
    ['2.0.0-rc.1', '3.0.0', 'SKIPPED_NUMBER'],
    ['1.2.3', '1.3.3', 'LOWER_PART_NOT_RESET'],
    ['1.2.3', '2.2.0', 'LOWER_PART_NOT_RESET'],
  ])('%s → %s is refused: %s', (previous, version, reason) => {
    expect(judge(previous, version)).toMatchObject({ legal: false, reason });
  });

  it('says what a refused version skips', () => {
    expect(judge('1.2.3', '1.2.5')).toMatchObject({ message: '1.2.5 skips 1.2.4 (last: 1.2.3)' });
    expect(judge('1.3.0-rc.1', '1.3.0-rc.3')).toMatchObject({ message: '1.3.0-rc.3 skips rc.2' });
  });
});

describe('nextLegal', () => {
  const next = (previous: string) => nextLegal(versionOf(previous)).map(formatVersion);

  it('lists the nearest first', () => {
    expect(next('1.2.3').slice(0, 4)).toEqual(['1.2.4', '1.3.0', '2.0.0', '1.2.4-alpha.1']);
    expect(next('1.3.0-rc.2').slice(0, 2)).toEqual(['1.3.0-rc.3', '1.3.0']);
    expect(next('1.3.0-alpha.1').slice(0, 4)).toEqual(['1.3.0-alpha.2', '1.3.0-beta.1', '1.3.0-rc.1', '1.3.0']);
    expect(nextLegal(undefined).slice(0, 2).map(formatVersion)).toEqual(['0.1.0', '1.0.0']);
  });

  it('lists only versions that are legal and greater', () => {
    fc.assert(
      fc.property(anyVersion, (previous) => {
        const candidates = nextLegal(previous);
        expect(candidates.length).toBeGreaterThanOrEqual(3);
        for (const candidate of candidates) {
          expect(judgeSuccession(candidate, previous).legal).toBe(true);
          expect(compareVersions(candidate, previous)).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('lists every legal version, but for stages that start at 0', () => {
    const small = fc.record({
      major: fc.nat(2),
      minor: fc.nat(2),
      patch: fc.nat(2),
      stage: fc.constantFrom(null, 'alpha', 'rc'),
      n: fc.nat(2),
    });
    const version = small.map(
      ({ stage, n, ...core }) => ({ ...core, stage, stageNumber: stage && n, build: null }) as Parameters<typeof nextLegal>[0],
    );
    fc.assert(
      fc.property(version, version, (a, b) => {
        if (!a || !b || b.stageNumber === 0) return;
        expect(nextLegal(a).some((candidate) => formatVersion(candidate) === formatVersion(b))).toBe(judgeSuccession(b, a).legal);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('order', () => {
  it('is that of semver, whatever the build', () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, (a, b) => {
        expect(Math.sign(compareVersions(a, b))).toBe(compareSemver(formatVersion(a), formatVersion(b)));
        if (judgeSuccession(a, b).legal) expect(compareSemver(formatVersion(a), formatVersion(b))).toBe(1);
      }),
      { numRuns: 500 },
    );
  });
});

describe('choosePrevious', () => {
  it.each([
    ['1.4.0', ['1.2.0', '1.3.0', '1.3.10', '1.3.9'], '1.3.10'],
    ['1.3.5', ['1.3.4', '1.4.0', '2.0.0'], '1.3.4'],
    ['1.5.0', ['1.4.2', '2.0.0'], '1.4.2'],
    ['1.4.1', ['1.4.0', '1.5.0-alpha.1', '2.0.0-rc.1'], '1.4.0'],
    ['1.4.0', ['1.3.0', '1.4.0-rc.10', '1.4.0-rc.9'], '1.4.0-rc.10'],
    ['1.4.0-rc.2', ['1.3.0', '1.4.0-rc.1'], '1.4.0-rc.1'],
    ['1.4.0-beta.2', ['1.3.0', '1.4.0-rc.1'], '1.4.0-rc.1'],
    ['1.5.0-alpha.1', ['1.3.0', '1.4.0-rc.1'], '1.4.0-rc.1'],
    ['1.5.0', ['1.3.0', '1.4.0-rc.1'], '1.3.0'],
    ['2.0.0', ['1.9.0', '2.0.0-rc.1', '3.0.0-alpha.1'], '2.0.0-rc.1'],
    ['1.3.0', ['1.2.0', '1.4.0'], '1.4.0'],
    ['1.3.0', ['2.0.0'], '2.0.0'],
    ['2.1.0', ['1.4.0'], '1.4.0'],
  ])('%s after %j follows %s', (version, released, previous) => {
    const chosen = choosePrevious(versionOf(version), released.map(versionOf));
    expect(chosen && formatVersion(chosen)).toBe(previous);
  });

  it('finds nothing where there is nothing, or only prereleases of other numbers', () => {
    expect(choosePrevious(versionOf('1.0.0'), [])).toBeUndefined();
    expect(choosePrevious(versionOf('1.0.0'), [versionOf('2.0.0-rc.1')])).toBeUndefined();
  });

  it('does not depend on the order of the tags', () => {
    fc.assert(
      fc.property(
        anyVersion,
        fc.uniqueArray(anyVersion, { maxLength: 8, selector: (v) => formatVersion({ ...v, build: null }) }),
        (version, released) => {
          const [one, other] = [choosePrevious(version, released), choosePrevious(version, [...released].reverse())];
          expect(one && formatVersion(one)).toBe(other && formatVersion(other));
        },
      ),
    );
  });
});
