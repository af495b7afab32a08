import type { Sandbox } from '../src/index.js';

// biome-ignore lint/suspicious/noExplicitAny: answers of many kinds
type Answer = { status: number; body: any; text: string; headers: Headers };

/** A bare client of the sandbox's Kubernetes API, for tests. */
export function api(sandbox: Sandbox, user = 'admin') {
  const token = sandbox.cluster.user(user).token;
  const send = async (method: string, path: string, body?: unknown, type = 'application/json'): Promise<Answer> => {
    const init = { method, headers: { authorization: `Bearer ${token}`, 'content-type': type, 'user-agent': 'tester/1.0' } };
    const answer = await fetch(sandbox.apiUrl + path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json');
    return { status: answer.status, text, body: isJson ? JSON.parse(text) : undefined, headers: answer.headers };
  };
  return {
    get: (path: string) => send('GET', path),
    post: (path: string, body: unknown) => send('POST', path, body),
    put: (path: string, body: unknown) => send('PUT', path, body),
    patch: (path: string, body: unknown, type = 'application/merge-patch+json') => send('PATCH', path, body, type),
    delete: (path: string, body?: unknown) => send('DELETE', path, body),
  };
}
