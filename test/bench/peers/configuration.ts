import type { Cell } from './cells.js';

/**
 * How Slipway is set up against the peers. The steps are those of a common procedure (10 % for 5 minutes, 50 % for 10) divided by 5, as the
 * peers' are; so is `drain`. Counts come from the pods: an error that is not looked at cannot be acted on, and windows of 1 s find faults no
 * sooner than those of 2 s at twice the requests. Pods of this bed are as good at birth as later, so there is nothing to warm up.
 */
export const stated: Readonly<Record<string, string>> = { window: '2s', 'warm-up': '0s', 'on-inconclusive': 'continue' };

/** slipway.yml of one cell. `prometheusUrl` is needed by `slipway-prometheus`. */
export function configuration({ namespace, tool, variant }: Cell, prometheusUrl: string | undefined): string {
  const analysis = { ...stated, ...settingsOf(variant), ...(tool === 'slipway-prometheus' ? { provider: 'prometheus' } : {}) };
  const lines = Object.entries(analysis).map(([key, value]) => `      ${key}: ${value}`);
  const source = tool === 'slipway-prometheus' ? [`      prometheus: { url: "${prometheusUrl ?? ''}" }`] : [];
  return `version: 1
environments:
  production: { namespace: ${namespace} }
services:
  shop:
    traffic: { router: istio, route: primary }
    steps:
      - { weight: 10, duration: 60s, max-error-rate: 1% }
      - { weight: 50, duration: 120s, max-error-rate: 0.5% }
    ready-timeout: 120s
    drain: 1s
    analysis:
${[...lines, ...source].join('\n')}
`;
}

/** `window=5s,warm-up=2s`; a repeat (`-r2`) has none. */
function settingsOf(variant: string): Record<string, string> {
  const pairs = variant.split(',').map((pair) => pair.split('='));
  return Object.fromEntries(pairs.flatMap(([key, value]) => (key && value ? [[key, value]] : [])));
}
