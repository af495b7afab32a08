/** A valid reference, as an example. */
export const exampleImage = 'ghcr.io/acme/shop:v1.4.0';

const LONGEST = 512;
/** Registry and repository together, as the distribution project limits them. */
const LONGEST_NAME = 255;
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const HOST_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
const IPV6 = /^\[[0-9A-Fa-f:]{2,45}\]$/;
const PORT = /^[0-9]{1,5}$/;
const TAG = /^\w[\w.-]{0,127}$/;
/** Hexadecimal digits of each algorithm that the OCI image specification registers, and its older relative. */
const DIGEST_DIGITS = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/**
 * What is wrong with an image reference, in words; undefined when it is one: `[registry[:port]/]repository[:tag][@digest]`, at most 512
 * characters. The grammar is that of github.com/distribution/reference (reference.go). Pure, and linear in the length of the text.
 */
export function imageProblem(image: string): string | undefined {
  if (image.length > LONGEST) return `is too long (${image.length} characters; at most ${LONGEST})`;
  if (/\s/.test(image)) return 'has white space in it';
  if (image.includes('://')) return 'is a URL; an image has no `https://` before it';
  const [named = '', digest, ...more] = image.split('@');
  if (more.length > 0) return 'has more than one `@`';
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const name = colon < 0 ? named : named.slice(0, colon);
  return (
    nameProblem(name) ??
    (colon < 0 ? undefined : tagProblem(named.slice(colon + 1))) ??
    (digest === undefined ? undefined : digestProblem(digest))
  );
}

function nameProblem(name: string): string | undefined {
  if (name === '') return 'has no repository';
  if (name.length > LONGEST_NAME) return `has a name of ${name.length} characters; at most ${LONGEST_NAME}`;
  const [first = '', ...others] = name.split('/');
  // What makes the first part a registry and not the beginning of the path is a dot, a port, capitals, or being localhost.
  const registry = others.length > 0 && (/[.:[A-Z]/.test(first) || first === 'localhost');
  if (registry && !isRegistry(first)) return `has no valid registry: "${first}"`;
  const bad = (registry ? others : [first, ...others]).find((part) => !PATH_COMPONENT.test(part));
  if (bad === undefined) return undefined;
  if (bad === '') return 'has an empty part in its path';
  const lower = /[A-Z]/.test(bad) ? ': lower case only' : '';
  return `has "${bad}" in its path${lower || ', which is not letters and digits joined by ., _, __ or -'}`;
}

function isRegistry(text: string): boolean {
  const colon = text.lastIndexOf(':');
  const ported = colon > text.lastIndexOf(']');
  const host = ported && colon >= 0 ? text.slice(0, colon) : text;
  if (ported && colon >= 0 && !PORT.test(text.slice(colon + 1))) return false;
  return IPV6.test(host) || host.split('.').every((label) => HOST_LABEL.test(label));
}

function tagProblem(tag: string): string | undefined {
  return TAG.test(tag) ? undefined : `has no valid tag: "${tag}" (at most 128 letters, digits, _, . and -, not beginning with . or -)`;
}

function digestProblem(digest: string): string | undefined {
  const [algorithm = '', digits = '', ...more] = digest.split(':');
  const length = DIGEST_DIGITS.get(algorithm);
  const valid = length !== undefined && more.length === 0 && digits.length === length && /^[a-f0-9]*$/.test(digits);
  return valid ? undefined : 'has no valid digest after `@`: `sha256:` and 64 digits from 0-9a-f are one';
}
