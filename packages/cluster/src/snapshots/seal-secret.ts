import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomUUID, scryptSync, timingSafeEqual } from 'node:crypto';
import { UsageError } from '@slipway/core';
import type { KubeObject } from '../kube.js';
import { canonicalJson } from './canonical-json.js';

/** A Secret in a snapshot: encrypted (AES-256-GCM), base64 each. */
export interface SealedSecret {
  kind: 'sealed';
  nonce: string;
  tag: string;
  data: string;
}

/** A Secret of which only a fingerprint is kept: it can be told whether it has changed, not what it was. */
export interface FingerprintedSecret {
  kind: 'fingerprint';
  salt: string;
  hmac: string;
}

/** A key for the Secrets of one snapshot. */
export type SnapshotKey = Buffer;

/** Where the key comes from; what is given is never shown. */
export const SNAPSHOT_KEY_VARIABLE = 'SLIPWAY_SNAPSHOT_KEY';

const SHORTEST_PASSPHRASE = 16;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** 32 MiB and about a tenth of a second per guess; `maxmem` is node's limit on it. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/**
 * The key from what the user gave: 32 bytes in base64 as they are, any other text of 16 characters or more by scrypt with the snapshot's salt.
 * Throws UsageError when it is shorter.
 */
export function snapshotKey(given: string, salt: string): SnapshotKey {
  if (/^[A-Za-z0-9+/]{43}=$/.test(given)) return Buffer.from(given, 'base64');
  if (given.length >= SHORTEST_PASSPHRASE) return scryptSync(given, Buffer.from(salt, 'base64'), KEY_BYTES, SCRYPT);
  throw new UsageError([
    {
      where: SNAPSHOT_KEY_VARIABLE,
      message: `has only ${given.length} characters`,
      allowed: `32 random bytes in base64, or a passphrase of at least ${SHORTEST_PASSPHRASE} characters`,
      example: 'openssl rand -base64 32',
    },
  ]);
}

/** Encrypts a Secret. `place` (snapshot, namespace and name) is authenticated with it: a copy in another place does not open. */
export function sealSecret(secret: KubeObject, key: SnapshotKey, place: string): SealedSecret {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
  const data = Buffer.concat([cipher.update(canonicalJson(secret), 'utf8'), cipher.final()]);
  return { kind: 'sealed', nonce: base64(nonce), tag: base64(cipher.getAuthTag()), data: base64(data) };
}

/** The Secret again; undefined when the key is another or the text was changed. */
export function openSecret(sealed: SealedSecret, key: SnapshotKey, place: string): KubeObject | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.nonce, 'base64'), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(place)).setAuthTag(Buffer.from(sealed.tag, 'base64'));
    const text = Buffer.concat([decipher.update(Buffer.from(sealed.data, 'base64')), decipher.final()]);
    return JSON.parse(text.toString('utf8')) as KubeObject;
  } catch {
    return undefined;
  }
}

/**
 * A fingerprint from which nothing can be guessed by who reads the snapshot: its key is the Secret's uid, 122 random bits that only those see
 * who may read the Secret itself. A salt makes equal Secrets look different from one snapshot to the next. A Secret that was deleted and made
 * again has another uid, and counts as changed.
 */
export function fingerprintSecret(secret: KubeObject): FingerprintedSecret {
  const salt = base64(randomBytes(16));
  return { kind: 'fingerprint', salt, hmac: base64(hmacOf(secret, salt)) };
}

/** Whether the live Secret is the one whose fingerprint was kept. */
export function hasFingerprint(secret: KubeObject, { salt, hmac }: FingerprintedSecret): boolean {
  const kept = Buffer.from(hmac, 'base64');
  const now = hmacOf(secret, salt);
  return kept.length === now.length && timingSafeEqual(kept, now);
}

function hmacOf({ metadata, type, data }: KubeObject, salt: string): Buffer {
  // Without a uid there is no key; then it is one that never fits again.
  return createHmac('sha256', metadata.uid ?? randomUUID())
    .update(canonicalJson({ salt, type: type ?? null, data: data ?? {} }))
    .digest();
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
