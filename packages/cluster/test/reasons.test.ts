import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { clusterReasons } from '../src/reasons.js';

const sources = fileURLToPath(new URL('../src', import.meta.url));

describe('clusterReasons', () => {
  it('lists every reason that the sources use, and no other', () => {
    const text = readdirSync(sources, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && path !== 'reasons.ts')
      .map((path) => readFileSync(join(sources, path), 'utf8'))
      .join('\n');
    const used = [
      ...text.matchAll(
        /(?:reason: |return |\? |: |exclusion\(|deployment, )'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|INVALID|FORBIDDEN|CONFLICT|UNAUTHENTICATED|UNSCHEDULABLE)'/g,
      ),
    ];
    expect(new Set(used.map((match) => match[1]))).toEqual(new Set(Object.keys(clusterReasons)));
  });
});
