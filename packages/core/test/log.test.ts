import { describe, expect, it, jest } from '@jest/globals';
import { createLog } from '../src/index.js';

/** Collects what is written. */
function collector() {
  const texts: string[] = [];
  const add = (before: string, after: string) => (text: string) => void texts.push(`${before}${text}${after}`);
  return { add, all: () => texts.join('') };
}

/** What reaches stdout, byte for byte, with the commands written by @actions/core itself. */
function captured(body: (log: ReturnType<typeof createLog>) => void): string {
  let out = '';
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    body(createLog({ runner: true, line: (text) => void process.stdout.write(`${text}\n`) }));
  } finally {
    spy.mockRestore();
  }
  return out;
}

describe('a log in the runner', () => {
  it('escapes properties and data of annotations', () => {
    const at = { file: 'a,b:c.yml', line: 3, column: 7, title: 'x:y,%\n::' };
    expect(captured((log) => log.error('100%\r\n::stop-commands::t\n##[add-mask]e', at))).toBe(
      '::error title=x%3Ay%2C%25\\n%3A%3A,file=a%2Cb%3Ac.yml,line=3,col=7::100%25%0A\\::stop-commands::t%0A##\\[add-mask]e\n',
    );
  });

  it('turns hostile lines into harmless ones', () => {
    expect(captured((log) => log.info('ok\r\u3000::error::x\u2028##[group]y'))).toBe('ok\n\u3000\\::error::x\n##\\[group]y\n');
  });

  it('groups, and closes the group when the body fails', async () => {
    const commands: string[] = [];
    const log = createLog({ runner: true, line: () => {}, command: (name, _, message) => void commands.push(`${name}:${message}`) });
    await expect(log.group('a\n::b', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(commands).toEqual(['group:a\\n::b', 'endgroup:']);
  });

  it('masks a value that spans lines line by line', () => {
    expect(captured((log) => log.mask('first%\nsecond'))).toBe('::add-mask::first%25%0Asecond\n::add-mask::first%25\n::add-mask::second\n');
  });

  it('annotates nine times, prints the rest, and keeps the tenth for the result', () => {
    const out = captured((log) => {
      for (let index = 1; index <= 12; index++) log.warning(`w${index}`);
      log.error('one');
      log.conclude('warning', 'result');
      log.close();
    });
    const lines = out.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('::warning'))).toHaveLength(10);
    expect(lines).toContain('::warning::result');
    expect(lines).toContain('warning: w10');
    expect(lines).toContain('::error::one');
    expect(lines.at(-1)).toBe('GitHub keeps ten annotations of a kind; in this log only: 3 × warning.');
  });

  it('says progress once', () => {
    const out = collector();
    const log = createLog({ runner: true, line: out.add('', '\n') });
    log.progress('10 %');
    log.progress('10 %');
    log.progress('::error::20 %');
    expect(out.all()).toBe('10 %\n\\::error::20 %\n');
  });
});

describe('a log outside of the runner', () => {
  it('prints plain lines with the place', () => {
    const lines: string[] = [];
    const log = createLog({ runner: false, line: (text) => void lines.push(text) });
    log.error('is wrong', { file: 'slipway.yml', line: 3, column: 5 });
    log.notice('##[x]');
    log.mask('secret');
    log.debug('hidden');
    expect(lines).toEqual(['error: slipway.yml:3:5: is wrong', 'notice: ##\\[x]']);
  });

  it('rewrites progress in place, and ends the line before anything else', () => {
    const out = collector();
    const log = createLog({ runner: false, line: out.add('', '\n'), rewrite: out.add('\r', '') });
    log.progress('1');
    log.progress('2');
    log.info('done');
    log.close();
    expect(out.all()).toBe('\r1\r2\ndone\n');
  });
});
