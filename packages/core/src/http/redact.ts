const hidden = '***';
const secretName =
  /token|secret|passw|credential|signature|api[-_]?key|access[-_]?key|^(key|sig|auth|authorization|code|cookie|set-cookie|proxy-authorization)$/i;

/** A URL that may be shown: without user name and password, and without the values of parameters that look like credentials. */
export function redactUrl(url: URL | string): string {
  const text = String(url);
  if (!URL.canParse(text)) return text.replace(/\/\/[^/@\s]*@/, `//${hidden}@`);
  const shown = new URL(text);
  const userinfo = shown.username || shown.password ? `${hidden}@` : '';
  const query = shown.search && `?${shown.search.slice(1).split('&').map(redactParameter).join('&')}`;
  // Not through URLSearchParams, which would write the stars and the rest anew.
  return `${shown.protocol}//${userinfo}${shown.host}${shown.pathname}${query}`;
}

/** Takes every one of the secrets out of a text, also in the forms in which they travel (URL-encoded, base64). */
export function redactText(text: string, secrets: Iterable<string>): string {
  let shown = text;
  for (const secret of secrets) {
    // Short values would also hide innocent text, and are no secrets worth the name.
    if (secret.length < 4) continue;
    for (const form of new Set([secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]))
      shown = shown.replaceAll(form, hidden);
  }
  return shown.replace(/\/\/[^/@\s:]*:[^/@\s]*@/g, `//${hidden}@`);
}

/** The credentials of a request: values of headers, of the URL's user info and of its parameters. */
export function secretsOf(url: URL, headers: Readonly<Record<string, string>>): string[] {
  const inHeaders = Object.entries(headers).flatMap(([name, value]) =>
    secretName.test(name) ? [value, ...value.split(' ').slice(1)] : [],
  );
  const inQuery = [...url.searchParams].flatMap(([name, value]) => (secretName.test(name) ? [value] : []));
  return [...inHeaders, url.password, decoded(url.password), ...inQuery].filter((secret) => secret !== '');
}

function redactParameter(parameter: string): string {
  const [name = ''] = parameter.split('=', 1);
  return secretName.test(name) ? `${name}=${hidden}` : parameter;
}

/** Percent-decoded; as it is when that is impossible. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
