/** A regular expression that must match the whole text, as Envoy's and nginx's do here. A broken pattern matches nothing. */
export function matchesWhole(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return false;
  }
}

/** `*.example.com` fits every name below it. */
export function fitsWildcard(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') && host.endsWith(pattern.slice(1));
}

/** Path elements count: `/a` begins `/a/b`, not `/ab`. */
export function hasPathPrefix(path: string, given: string): boolean {
  const prefix = given.replace(/\/$/, '');
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** Splits a request's path at its `?`. */
export function splitPath(path: string): { plain: string; query: string } {
  const at = path.indexOf('?');
  return at < 0 ? { plain: path, query: '' } : { plain: path.slice(0, at), query: path.slice(at + 1) };
}

/** The value of one `name=value` pair in a text such as a query or a Cookie header. */
export function pairValue(text: string, separator: '&' | ';', name: string): string | undefined {
  const found = text
    .split(separator)
    .map((pair) => pair.trim())
    .find((pair) => pair === name || pair.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}
