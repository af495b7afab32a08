import { gunzipSync, gzipSync } from 'node:zlib';
import { OperationError } from '@slipway/core';
import type { KubeObject } from '../kube.js';
import { canonicalJson, sha256 } from './canonical-json.js';
import { entryChecksum, entryWords, type Snapshot } from './snapshot.js';

const PLAIN_KEY = 'snapshot.json';
const GZIP_KEY = 'snapshot.json.gz';
/** Up to here it is stored as text, which people can read; bytes. */
const LONGEST_PLAIN = 64 * 1024;
/** A ConfigMap holds 1 MiB of values (k8s.io/api, core/v1, MaxSecretSize); a little is left for what others may add. Bytes. */
const LARGEST = 1_000_000;
/** What a packed snapshot may become; more is no snapshot of ours. Bytes. */
const LARGEST_UNPACKED = 64 * 1024 * 1024;

/** `data` and `binaryData` of the ConfigMap that holds the snapshot: one of them, the other's key is null to remove it. Reason: SNAPSHOT_TOO_LARGE. */
export function packSnapshot(snapshot: Snapshot): {
  sha256: string;
  data: Record<string, string | null>;
  binaryData: Record<string, string | null>;
} {
  const text = canonicalJson(snapshot);
  const sum = sha256(text);
  if (Buffer.byteLength(text) <= LONGEST_PLAIN) return { sha256: sum, data: { [PLAIN_KEY]: text }, binaryData: { [GZIP_KEY]: null } };
  const packed = gzipSync(text);
  if (packed.length > LARGEST) throw tooLarge(snapshot, packed.length);
  return { sha256: sum, data: { [PLAIN_KEY]: null }, binaryData: { [GZIP_KEY]: packed.toString('base64') } };
}

/** Text of the snapshot that a ConfigMap holds; undefined when it holds none, or none that can be unpacked. */
export function unpackText(configMap: KubeObject | undefined): string | undefined {
  const plain: unknown = configMap?.data?.[PLAIN_KEY];
  if (typeof plain === 'string') return plain;
  const packed: unknown = configMap?.binaryData?.[GZIP_KEY];
  if (typeof packed !== 'string') return undefined;
  try {
    return gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: LARGEST_UNPACKED }).toString('utf8');
  } catch {
    return undefined;
  }
}

/** The snapshot in a text, or what is wrong with it. Each entry has to have its own checksum. Pure. */
export function parseSnapshot(text: string): Snapshot | { wrong: string } | { schema: number } {
  let value: Partial<Snapshot> | null;
  try {
    value = JSON.parse(text) as Partial<Snapshot> | null;
  } catch {
    return { wrong: 'it is not JSON' };
  }
  const schema: unknown = value?.schema;
  if (typeof schema === 'number' && schema > 2) return { schema };
  if (value === null || schema !== 2 || !Array.isArray(value.entries)) return { wrong: 'it has not the shape of a snapshot' };
  const changed = value.entries.find((entry) => entryChecksum(entry) !== entry.sha256);
  return changed ? { wrong: `${entryWords(changed)} in it is not what was taken` } : (value as Snapshot);
}

function tooLarge(snapshot: Snapshot, bytes: number): OperationError {
  const sizes = snapshot.entries.map((entry) => ({ what: entryWords(entry), bytes: Buffer.byteLength(canonicalJson(entry)) }));
  const largest = sizes.sort((a, b) => b.bytes - a.bytes).slice(0, 3);
  const words = largest.map((each) => `${each.what} (${Math.ceil(each.bytes / 1024)} KiB)`).join(', ');
  return new OperationError(
    `The snapshot of ${snapshot.namespace}/${snapshot.workload} has ${bytes} bytes packed, ${LARGEST} fit into a ConfigMap. The largest in it: ${words}. Nothing was stored.`,
    {
      reason: 'SNAPSHOT_TOO_LARGE',
      next: ['Keep large data out of the ConfigMaps and Secrets that the pods use: in the image, or in a volume.'],
      details: { bytes, limit: LARGEST, largest },
    },
  );
}
