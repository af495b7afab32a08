import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { refusal } from '../../cluster/test/memory-kube.js';
import { guardsReport, readGuards } from '../src/guards.js';
import { deps, shop, target } from './shop.js';

const manifest = parseAllDocuments(readFileSync(join(import.meta.dirname, '../../../docs/rbac/watchdog.yaml'), 'utf8')).map((each) =>
  each.toJS(),
);
const cronJob = manifest.find(({ kind }) => kind === 'CronJob');

describe('the guards of a rollout', () => {
  it('with the watchdog of docs/rbac/watchdog.yaml', async () => {
    const kube = shop();
    kube.put(cronJob);
    const guards = await readGuards(deps(kube));
    expect(guards).toEqual({
      inRunner: true,
      cronJob: 'slipway-watchdog-shop',
      watchdog: { kind: 'active', quiet: 90_000, rest: 1_800_000 },
    });
    const report = guardsReport(guards, { window: 10_000 });
    expect(report).toContain('| watchdog | after 1m30s of silence at work, or 30m between two jobs, by CronJob slipway-watchdog-shop |');
    expect(report).toMatch(/\| post step \| within seconds/);
    expect(report).toMatch(/\| sweeper \| not known/);
    expect(report).not.toContain('> ');
    expect(guardsReport(guards, { window: 60_000 })).toContain('raise QUIET\\_SECONDS to twice that');
  });

  it.each([
    ['suspended', { ...cronJob, spec: { ...cronJob.spec, suspend: true } }, /CronJob slipway-watchdog-shop is suspended/],
    [
      'of another service',
      JSON.parse(JSON.stringify(cronJob).replace('"WORKLOAD","value":"shop"', '"WORKLOAD","value":"cart"')),
      /not known: it guards shop\/cart/,
    ],
    [
      'without a limit between two jobs',
      JSON.parse(JSON.stringify(cronJob).replace('"REST_SECONDS","value":"1800"', '"REST_SECONDS","value":"long"')),
      /not known: its QUIET.*_SECONDS or REST.*_SECONDS is not a number above 0/,
    ],
    ['not there', undefined, /there is no CronJob slipway-watchdog-shop/],
  ])('with a watchdog that is %s', async (_what, object, words) => {
    const kube = shop();
    if (object) kube.put(object);
    expect(guardsReport(await readGuards(deps(kube)))).toMatch(words);
  });

  it('says plainly when nobody in the cluster guards it', async () => {
    expect(guardsReport(await readGuards(deps(shop())))).toContain('> When the runner is lost nobody in the cluster sends users back.');
  });

  it('without the right to look, and outside GitHub Actions: says what is not known', async () => {
    const kube = shop();
    kube.before = ({ plural }) => {
      if (plural === 'cronjobs') throw refusal('FORBIDDEN', 403, 'no');
      return undefined;
    };
    const run = deps(kube, { target: target() });
    run.context.runUrl = undefined;
    const report = guardsReport(await readGuards(run));
    expect(report).toMatch(
      /not known: the kubeconfig’s user may not `get` CronJobs|not known: the kubeconfig’s user may not \\`get\\` CronJobs/,
    );
    expect(report).toContain('this is no job of GitHub Actions');
  });
});
