import * as z from 'zod/mini';
import { durationForm, parseDuration } from '../duration.js';
import { parsePercent, percentForm } from '../percent.js';

/**
 * The kinds of value in slipway.yml. Each schema's error message is what it allows, in words; issues.ts makes problems of them.
 */

/** A map with exactly these keys; the message for any other key is the list of them. */
export function map<T extends z.core.$ZodShape>(shape: T) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? keys : `a map with the keys ${keys}`) });
}

/** A map from names that the team chooses. */
export function named<T extends z.core.$ZodType>(name: RegExp, allowed: string, value: T) {
  return z
    .record(z.string().check(z.regex(name, { error: allowed })), value, { error: 'a map from names to settings' })
    .check(z.refine((entries) => Object.keys(entries).length > 0, { error: 'at least one entry' }));
}

const durationPattern = /^(0|(?=\d)(\d+(\.\d+)?d)?(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?)$/;

/** Milliseconds. */
export function duration(options: { min: number }) {
  const allowed = options.min > 0 ? `${durationForm}, at least ${options.min} ms` : durationForm;
  const text = z.string({ error: allowed }).check(
    z.regex(durationPattern, { error: allowed, abort: true }),
    z.refine((value) => (parseDuration(value) ?? -1) >= options.min, { error: allowed }),
  );
  return z.pipe(
    text,
    z.transform((value: string) => parseDuration(value) ?? 0),
  );
}

/** A fraction, from a percentage or a number below 1. */
export function percent(options: { above?: number; max: number }) {
  const limits = `${options.above === undefined ? '' : `, above ${options.above}`}, at most ${options.max * 100}%`;
  const allowed = `${percentForm}${limits}`;
  const holds = (value: number | undefined) => value !== undefined && value <= options.max && value > (options.above ?? -1);
  const text = z.string().check(
    z.regex(/^\d+(\.\d+)?([eE]-?\d{1,3})?(\s*%)?$/),
    z.refine((value) => holds(parsePercent(value))),
  );
  const number = z.number().check(
    z.minimum(0),
    z.refine((value) => holds(parsePercent(String(value)))),
  );
  return z.pipe(
    z.union([text, number], { error: allowed }),
    z.transform((value: string | number) => parsePercent(String(value)) ?? 0),
  );
}

export function integer(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).check(z.minimum(min, { error }), z.maximum(max, { error }));
}

export function atLeastOne() {
  const error = 'a number, 1 or more';
  return z.number({ error }).check(z.minimum(1, { error }));
}

export function choice<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: values.join(', ') });
}

export function text(allowed = 'text') {
  return z.string({ error: allowed }).check(z.minLength(1, { error: allowed }), z.maxLength(1000, { error: allowed }));
}

export function matching(pattern: RegExp, allowed: string) {
  return z.string({ error: allowed }).check(z.regex(pattern, { error: allowed }));
}

/** A name of a Kubernetes object: a DNS subdomain (RFC 1123). */
export function objectName() {
  const label = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
  return matching(new RegExp(`^${label}(\\.${label})*$`), 'a name of a Kubernetes object: lower-case letters, digits, "-" and "."');
}

/** A DNS label (RFC 1123): the name of a namespace or a container. */
export function label() {
  return matching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a DNS label: at most 63 lower-case letters, digits and "-"');
}

export function port() {
  const allowed = 'a port number from 1 to 65535, or the name of a port';
  const number = z.int().check(z.minimum(1), z.maximum(65_535));
  const name = z.string().check(z.regex(/^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/));
  return z.union([number, name], { error: allowed });
}
