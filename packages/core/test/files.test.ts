import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { savedState, saveState, trimToBytes, writeOutputs, writeSummary } from '../src/runner/files.js';
import { parseHeredocs, runnerFiles } from './memory-host.js';

const files = runnerFiles();
afterEach(() => {
  for (const file of Object.values(files.env)) writeFileSync(file, '');
});

describe('outputs and state', () => {
  it('cannot be made to set another output', () => {
    const value = 'x\nadmin=true\nEOF\nghadelimiter_1\n::set-output name=a::b\nother<<EOF\n1\nEOF';
    writeOutputs(files.env, { notes: value, empty: '' });
    expect(parseHeredocs(files.read('GITHUB_OUTPUT'))).toEqual({ notes: value, empty: '' });
  });

  it('uses another delimiter each time', () => {
    writeOutputs(files.env, { a: '1', b: '2' });
    const delimiters = [...files.read('GITHUB_OUTPUT').matchAll(/<<(.*)$/gm)].map(([, name]) => name);
    expect(new Set(delimiters).size).toBe(2);
    expect(delimiters[0]).toMatch(/^ghadelimiter_[0-9a-f-]{36}$/);
  });

  it('carries state from main to post', () => {
    saveState(files.env, 'rollout', 'a\nb');
    expect(parseHeredocs(files.read('GITHUB_STATE'))).toEqual({ rollout: 'a\nb' });
    expect(savedState({ STATE_rollout: 'a\nb' }, 'rollout')).toBe('a\nb');
  });

  it('does nothing outside of the runner', () => {
    expect(() => writeOutputs({}, { a: '1' })).not.toThrow();
    expect(() => writeSummary({}, 'x')).not.toThrow();
  });
});

describe('the summary', () => {
  it('stays below 1 MiB, cut at the end of a line, with what was there before', () => {
    writeSummary(files.env, 'first');
    writeSummary(files.env, `${'0123456789abcdef ä\n'.repeat(60_000)}`);
    const text = files.read('GITHUB_STEP_SUMMARY');
    expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
    expect(Buffer.byteLength(text)).toBeGreaterThan(1024 * 1024 - 200);
    expect(text.startsWith('first\n0123456789abcdef ä\n')).toBe(true);
    expect(text).toMatch(/abcdef ä\n\n\*The rest was left out: [^\n]*\*\n$/);
  });

  it('closes a code block that the cut left open', () => {
    const cut = trimToBytes(`~~~~text\n${'line\n'.repeat(200)}~~~~\n`, 400);
    expect(cut).toMatch(/^~~~~text\n(line\n)+~~~~\n\n\*The rest/);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(400);
  });

  it('leaves what fits alone, and gives nothing when not even the note fits', () => {
    expect(trimToBytes('abc', 3)).toBe('abc');
    expect(trimToBytes('abc'.repeat(50), 20)).toBe('');
  });
});
