import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  type Config,
  chooseEnvironment,
  chooseService,
  configJsonSchema,
  configJsonSchemaText,
  configSchemaFile,
  describeProblem,
  loadConfig,
  loadConfigFile,
  UsageError,
} from '../src/index.js';

const cwd = mkdtempSync(join(tmpdir(), 'slipway-config-'));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const fixture = readFileSync(new URL('./fixtures/slipway.yml', import.meta.url), 'utf8');
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(cwd, name), content);
  return name;
}

async function refusal(path: string): Promise<string> {
  try {
    await loadConfig(path, cwd);
  } catch (error) {
    if (error instanceof UsageError) return error.problems.map(describeProblem).join('\n');
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('loadConfig', () => {
  it('reads a file, relative to the directory given, also with a byte order mark', async () => {
    const config = await loadConfig(file('slipway.yml', fixture), cwd);
    expect(config.services.shop?.drain).toBe(5000);
    expect(await loadConfig(file('bom.yml', `\ufeff${fixture}`), cwd)).toEqual(config);
    expect(await loadConfig(file('crlf.yml', fixture.replaceAll('\n', '\r\n')), cwd)).toEqual(config);
  });

  it('names the file, line and column', async () => {
    expect(await refusal(file('wrong.yml', fixture.replace('drain: 5s', 'drain: 5')))).toBe(
      'wrong.yml:26:12: services.shop.drain: 5 is not accepted (allowed: a number with its unit: 500ms, 90s, 5m, 1h30m or 2d)',
    );
  });

  it('tells what is wrong with the file itself', async () => {
    expect(await refusal('slipway.yaml')).toContain('slipway.yaml: does not exist; did you mean slipway.yml? ');
    expect(await refusal('elsewhere/slipway.yml')).toContain('does not exist; is the repository checked out');
    expect(await refusal('slipway.yml/x')).toContain('does not exist');
    mkdirSync(join(cwd, 'folder'));
    expect(await refusal('folder')).toContain('folder: is a directory');
    expect(await refusal('/dev/null')).toContain('is not a regular file');
    expect(await refusal(file('empty.yml', ''))).toContain('empty.yml:1:1: is empty');
    expect(await refusal(file('large.yml', `# ${'x'.repeat(1024 * 1024)}`))).toContain('is too large: 1048578 bytes');
    expect(await refusal(file('latin1.yml', Buffer.from('version: 1\n# caf\xe9\n', 'latin1')))).toContain('latin1.yml:2:1: is not UTF-8');
    expect(await refusal(file('utf16.yml', Buffer.from(`\ufeff${fixture}`, 'utf16le')))).toContain('utf16.yml:1:1: is UTF-16');
    expect(await refusal(file('nul.yml', 'version: 1\n\0'))).toContain('nul.yml:2:1: ');
  });

  it('finds the place of a value for later problems', async () => {
    const { problemAt } = await loadConfigFile(file('slipway.yml', fixture), cwd);
    expect(problemAt(['services', 'shop', 'traffic', 'route'], { where: 'route', message: 'is not there' })).toEqual({
      where: 'route',
      message: 'is not there',
      file: 'slipway.yml',
      line: 18,
      column: 14,
    });
  });
});

describe('choosing', () => {
  const config = async () => (await loadConfigFile(file('slipway.yml', fixture), cwd)).config;

  it('takes the only one, or the one that is named', async () => {
    expect(chooseService(await config(), undefined).name).toBe('shop');
    expect(chooseEnvironment(await config(), 'production').environment).toEqual({ namespace: 'shop', context: 'prod' });
  });

  it.each([
    [undefined, 'environment: is required, because slipway.yml has 2 environments (allowed: staging, production; example: staging)'],
    [
      'prodction',
      'environment: "prodction" is not in slipway.yml; did you mean "production"? (allowed: staging, production; example: staging)',
    ],
    ['__proto__', 'environment: "__proto__" is not in slipway.yml (allowed: staging, production; example: staging)'],
  ])('refuses %s', async (name, sentence) => {
    const settings: Config = await config();
    try {
      chooseEnvironment(settings, name);
    } catch (error) {
      expect((error as UsageError).problems.map(describeProblem)).toEqual([sentence]);
      return;
    }
    throw new Error('nothing was refused');
  });
});

describe('the JSON Schema', () => {
  it('is the published file', () => {
    // If this fails: npm run docs
    expect(readFileSync(join(root, configSchemaFile), 'utf8')).toBe(configJsonSchemaText());
  });

  it('describes every key and gives the defaults as a person writes them', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string) => {
      if (typeof schema !== 'object' || schema === null) return;
      const { properties = {}, additionalProperties, items, oneOf = [] } = schema as Record<string, never>;
      for (const [key, value] of Object.entries<{ description?: string }>(properties)) {
        if (!value.description && !['above', 'for', 'within'].includes(key)) undescribed.push(`${path}.${key}`);
        visit(value, `${path}.${key}`);
      }
      for (const child of [additionalProperties, items, ...(oneOf as unknown[])]) visit(child, `${path}.*`);
    };
    visit(configJsonSchema(), '');
    expect(undescribed).toEqual([]);
    expect(JSON.stringify(configJsonSchema())).toContain('"default":"300s"');
  });
});

describe('docs/config.md', () => {
  it('shows files that load, with the defaults that the code has', async () => {
    const page = readFileSync(join(root, 'docs/config.md'), 'utf8');
    const [smallest = '', everything = ''] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml ?? '');
    const plain = (await loadConfig(file('smallest.yml', smallest), cwd)).services.shop;
    const full = (await loadConfig(file('everything.yml', everything), cwd)).services.shop;
    const { prometheus, latencySlo, provider, ...analysis } = full?.analysis ?? {};
    expect([prometheus?.url, latencySlo, provider]).toEqual(['http://prometheus.monitoring:9090', 500, 'prometheus']);
    expect(plain).toMatchObject({
      strategy: full?.strategy,
      engine: full?.engine,
      splitCheck: full?.splitCheck,
      // Without a header to match, no step matches one.
      steps: full?.steps.map((step) => ({ ...step, match: false })),
      readyTimeout: full?.readyTimeout,
      drain: full?.drain,
      scaleDownDelay: full?.scaleDownDelay,
      abortScaleDownDelay: full?.abortScaleDownDelay,
      rollbackWindow: full?.rollbackWindow,
      maxSnapshots: full?.maxSnapshots,
      triggers: full?.triggers,
      analysis,
    });
  });
});
