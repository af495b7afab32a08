type Measured = { evidence: number; limit: number };

/** `73.7 of 20`: the evidence, and the limit from which it decides. */
export function evidenceWords({ evidence, limit }: Measured): string {
  return `${number(evidence)} of ${number(limit)}`;
}

/** The metric that is nearest to its limit, or farthest beyond: `errors 73.7 of 20`; `none` without any. */
export function mostEvidence(metrics: Readonly<Record<string, Measured>>): string {
  const share = ({ evidence, limit }: Measured) => (limit > 0 ? evidence / limit : 0);
  const [first] = Object.entries(metrics).sort(([, one], [, other]) => share(other) - share(one));
  return first ? `${first[0]} ${evidenceWords(first[1])}` : 'none';
}

function number(value: number): string {
  return value >= 1e6 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
