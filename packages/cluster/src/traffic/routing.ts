/** How requests meet the canary: what a step asks of the router. */
export interface Routing {
  /** Percent of users' requests that the canary answers, 0–100. */
  weight: number;
  /** Percent of requests whose copy is sent to the canary, its answer thrown away, 0–100. */
  mirror: number;
  /** Requests with the configured header or cookie meet the canary. */
  match: boolean;
}

/** Nobody meets the canary, and no copy is sent to it. */
export const stableAlone: Routing = { weight: 0, mirror: 0, match: false };

export function sameRouting(a: Routing, b: Routing): boolean {
  return a.weight === b.weight && a.mirror === b.mirror && a.match === b.match;
}

/** Whether no request, not even a copy, meets the canary. */
export function meetsNobody(routing: Routing): boolean {
  return sameRouting(routing, stableAlone);
}

/** `10 %`, `10 % and requests with the header or cookie`, `a copy of 5 %`, `nobody`. */
export function routingWords({ weight, mirror, match }: Routing): string {
  const parts = [
    ...(weight > 0 ? [`${weight} %`] : []),
    ...(match ? ['requests with the header or cookie'] : []),
    ...(mirror > 0 ? [`a copy of ${mirror} %`] : []),
  ];
  return parts.join(' and ') || 'nobody';
}
