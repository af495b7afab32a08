import type { Findings } from './validate.js';

// biome-ignore lint/suspicious/noExplicitAny: a decoded pod spec
type Any = any;

export const percentRule =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** `3`, `25%`: what maxSurge and maxUnavailable may be. */
export function isPercentOrCount(value: unknown): boolean {
  return (Number.isInteger(value) && (value as number) >= 0) || (typeof value === 'string' && /^[0-9]+%$/.test(value));
}

/** The mistakes people make in a pod's spec: no containers, no image, names twice, ports out of range. */
export function validatePodSpec(spec: Any, field: string, findings: Findings): void {
  if (!spec?.containers?.length) return findings.required(`${field}.containers`);
  const names = new Set<string>();
  for (const [i, container] of spec.containers.entries()) {
    const at = `${field}.containers[${i}]`;
    if (!container.name) findings.required(`${at}.name`);
    else if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(container.name)) {
      findings.invalid(
        `${at}.name`,
        container.name,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      );
    } else if (names.has(container.name)) findings.duplicate(`${at}.name`, container.name);
    names.add(container.name);
    validateImage(container.image, `${at}.image`, findings);
    for (const [p, port] of (container.ports ?? []).entries()) {
      if (!port.containerPort) {
        findings.required(`${at}.ports[${p}].containerPort`);
        continue;
      }
      const inRange = port.containerPort >= 1 && port.containerPort <= 65535;
      if (!inRange) findings.invalid(`${at}.ports[${p}].containerPort`, port.containerPort, 'must be between 1 and 65535, inclusive');
    }
  }
}

function validateImage(image: unknown, field: string, findings: Findings): void {
  if (!image) findings.required(field);
  else if (String(image).trim() !== image) findings.invalid(field, image, 'must not have leading or trailing whitespace');
}
