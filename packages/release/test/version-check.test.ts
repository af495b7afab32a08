import { describe, expect, it } from '@jest/globals';
import { OperationError } from '@slipway/core';
import { type Baseline, checkVersion, type RepositoryTags } from '../src/index.js';
import { versionOf } from './version-of.js';

const head = 'a'.repeat(40);
const old = 'b'.repeat(40);

function repository(tags: Record<string, string>, facts: Partial<RepositoryTags> = {}): Baseline {
  const list = Object.entries(tags).map(([name, commit]) => ({ name, commit }));
  return { from: 'tags', repository: { tags: list, shallow: false, head, ...facts } };
}

const check = (text: string, baseline: Baseline, tagPrefix = 'v') => checkVersion({ text, tagPrefix, baseline });

describe('checkVersion against tags', () => {
  it('takes the highest tag of the line, whatever else is tagged', () => {
    const verdict = check(
      'v1.4.0',
      repository({ 'v1.3.9': old, 'v1.3.10': old, latest: old, v1: old, v2: old, 'v1.9.0-foo': old, 'cart-v7.0.0': old }),
    );
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'LEGAL', details: { previous: '1.3.10', bump: 'minor', tag: 'v1.4.0' } });
  });

  it('does not take the tag being released for its own predecessor', () => {
    const verdict = check('v1.4.0', repository({ 'v1.3.0': old, 'v1.4.0': head }));
    expect(verdict).toMatchObject({ outcome: 'pass', details: { previous: '1.3.0' } });
  });

  it('refuses a version whose tag points elsewhere, and lists what may follow it', () => {
    const verdict = check('v1.4.0', repository({ 'v1.3.0': old, 'v1.4.0': old }));
    expect(verdict).toMatchObject({ outcome: 'fail', reason: 'ALREADY_RELEASED' });
    expect(verdict.summary).toContain('points to bbbbbbb, not to aaaaaaa');
    expect(verdict.details.nextLegal[0]).toBe('1.4.1');
  });

  it('refuses the same version with another build', () => {
    expect(check('v1.4.0+aaaaaaa', repository({ 'v1.4.0': old, 'v1.3.0': old }))).toMatchObject({
      outcome: 'fail',
      reason: 'SAME_PRECEDENCE',
    });
  });

  it('compares the build with the commit', () => {
    expect(check('v1.4.0+aaaaaaa', repository({ 'v1.3.0': old }))).toMatchObject({
      outcome: 'pass',
      details: { build: 'aaaaaaa', dockerTag: '1.4.0_aaaaaaa' },
    });
    expect(check('v1.4.0+bbbbbbb', repository({ 'v1.3.0': old }))).toMatchObject({ outcome: 'fail', reason: 'BUILD_NOT_THIS_COMMIT' });
    expect(check('v1.4.0+bbbbbbb', repository({ 'v1.3.0': old, 'v1.4.0+bbbbbbb': old }, { head: null }))).toMatchObject({
      outcome: 'pass',
    });
  });

  it('allows a fix of an old line, and no new one in its middle', () => {
    const tags = repository({ 'v1.3.4': old, 'v1.4.0': old, 'v1.4.1': old, 'v2.0.0': old });
    expect(check('v1.3.5', tags)).toMatchObject({ outcome: 'pass', details: { previous: '1.3.4', bump: 'patch' } });
    expect(check('v1.5.0', tags)).toMatchObject({ outcome: 'pass', details: { previous: '1.4.1', bump: 'minor' } });
    expect(check('v1.3.6', tags)).toMatchObject({ outcome: 'fail', reason: 'SKIPPED_NUMBER' });
    expect(check('v1.2.0', tags)).toMatchObject({ outcome: 'fail', reason: 'NOT_GREATER', details: { previous: '1.4.1' } });
  });

  it('calls it a first release only when it can know', () => {
    expect(check('v0.1.0', repository({}))).toMatchObject({
      outcome: 'pass',
      reason: 'FIRST_RELEASE',
      details: { previous: null, bump: 'first' },
    });
    expect(check('v1.4.0', repository({ 'v1.4.0': head }))).toMatchObject({ reason: 'FIRST_RELEASE' });
    expect(check('v1.4.0', repository({ 'v1.4.0': head }, { shallow: true }))).toMatchObject({ outcome: 'error', reason: 'SHALLOW_CLONE' });
    expect(check('v1.4.0', repository({ 'v1.3.0': old }, { shallow: true }))).toMatchObject({ outcome: 'pass', reason: 'LEGAL' });
  });

  it('notices tags of the other habit', () => {
    expect(check('v1.4.0', repository({ '1.3.0': old }))).toMatchObject({ outcome: 'error', reason: 'NO_TAG_WITH_PREFIX' });
    expect(check('1.4.0', repository({ 'v1.3.0': old }), '')).toMatchObject({ outcome: 'error', reason: 'NO_TAG_WITH_PREFIX' });
    expect(check('1.4.0', repository({ '1.3.0': old }), '')).toMatchObject({ outcome: 'pass', details: { tag: '1.4.0' } });
    // In a repository of several services, other tags say nothing about this one.
    expect(check('cart-v0.1.0', repository({ 'v1.3.0': old, 'shop-v2.0.0': old }), 'cart-v')).toMatchObject({ reason: 'FIRST_RELEASE' });
  });

  it('tells what is wrong with the version even when the tags cannot be read', () => {
    const unreadable: Baseline = {
      from: 'unreadable',
      error: new OperationError('no repository', { reason: 'NOT_A_REPOSITORY', next: ['check out'] }),
    };
    const refused = check('v1.4', unreadable);
    expect(refused).toMatchObject({ outcome: 'fail', reason: 'MISSING_PART', details: { nextLegal: [] } });
    // What comes next is not known: the usual beginnings would mislead.
    expect(refused.next).toEqual(['Did you mean v1.4.0?', expect.stringContaining('fetch the tags')]);
    expect(check('v1.4', repository({}, { shallow: true })).next).toEqual(refused.next);
    expect(check('v1.4.0', unreadable)).toMatchObject({
      outcome: 'error',
      reason: 'NOT_A_REPOSITORY',
      summary: 'no repository',
      next: ['check out'],
    });
  });
});

describe('checkVersion', () => {
  it('gives details in the documented shape', () => {
    const { details } = check('v1.4.0-rc.2+3f2c1ab', { from: 'given', version: versionOf('1.4.0-rc.1') });
    expect(details).toMatchObject({
      version: '1.4.0-rc.2+3f2c1ab',
      major: 1,
      minor: 4,
      patch: 0,
      stage: 'rc',
      stageNumber: 2,
      build: '3f2c1ab',
      bump: 'prerelease',
    });
    expect(check('1.4.0', { from: 'none' }).details).toMatchObject({ stage: null, stageNumber: null, build: null, prerelease: false });
  });

  it('shows a hostile version on one line and offers what is legal', () => {
    const verdict = check('v1.0.0$(id)\n::error::x\u202e', { from: 'given', version: versionOf('1.3.0') });
    expect(verdict).toMatchObject({
      outcome: 'fail',
      reason: 'ILLEGAL_CHARACTER',
      details: { version: null, tag: null, problem: { position: 7 } },
    });
    expect(verdict.details.input).toBe('v1.0.0$(id)\\u{a}::error::x\\u{202e}');
    expect(verdict.summary).not.toMatch(/[\n\u202e]/);
    expect(verdict.next.join()).toContain('v1.3.1, v1.4.0, v2.0.0');
  });

  it('suggests what was meant', () => {
    const verdict = check('v1.4', { from: 'given', version: versionOf('1.3.0') });
    expect(verdict.details.didYouMean).toBe('v1.4.0');
    expect(verdict.next[0]).toBe('Did you mean v1.4.0?');
  });
});
