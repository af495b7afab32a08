import type { ReceivedRequest } from '../server/loopback-server.js';
import { ApiError } from './api-error.js';

/** Whether nothing shall be kept: `?dryRun=All`, or the same in the options of a deletion. Throws 422 for any other value. */
export function dryRunOf({ method, url, body }: ReceivedRequest): boolean {
  const inBody = method === 'DELETE' && body.length > 0 ? (decodeQuietly(body) as { dryRun?: unknown })?.dryRun : undefined;
  const asked = [...url.searchParams.getAll('dryRun'), ...(Array.isArray(inBody) ? inBody : [])].filter((value) => value !== '');
  if (asked.every((value) => value === 'All')) return asked.length > 0;
  const options = { POST: 'CreateOptions', PUT: 'UpdateOptions', PATCH: 'PatchOptions' }[method] ?? 'DeleteOptions';
  const cause = {
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(asked)}: supported values: "All"`,
    field: 'dryRun',
  };
  const message = `${options}.meta.k8s.io "" is invalid: dryRun: ${cause.message}`;
  throw new ApiError(422, 'Invalid', message, { group: 'meta.k8s.io', kind: options, causes: [cause] });
}

function decodeQuietly(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined; // said properly when the body itself is read
  }
}
