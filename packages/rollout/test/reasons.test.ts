import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { clusterReasons } from '@slipway/cluster';
import { analysisReasons, rolloutReasons, triggerReasons } from '../src/reasons.js';
import { triggerReason } from '../src/watch-triggers.js';

const source = join(import.meta.dirname, '../src');

it('every reason that is written in the sources is listed, and none is listed in vain', () => {
  const listed = { ...clusterReasons, ...rolloutReasons, ...analysisReasons, ...triggerReasons };
  const text = (readdirSync(source, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts') && name !== 'reasons.ts')
    .map((name) => readFileSync(join(source, name), 'utf8'))
    .join('\n');
  const written = new Set([...text.matchAll(/(?:reason: |return |: )'([A-Z][A-Z0-9_]{4,})'/g)].map(([, reason]) => reason ?? ''));
  expect([...written].filter((reason) => !(reason in listed))).toEqual([]);
  const spoken = (reason: string) => text.includes(`'${reason}'`);
  const inActions = new Set(['REPLAYED']);
  const own = Object.keys({ ...rolloutReasons, ...analysisReasons }).filter((reason) => !inActions.has(reason));
  expect(own.filter((reason) => !spoken(reason))).toEqual([]);
});

it('each trigger has its reason', () => {
  for (const trigger of ['error-rate', 'latency-p99', 'health-failures', 'restarts'])
    expect(Object.keys(triggerReasons)).toContain(triggerReason(trigger));
});
