import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { root } from '../../scripts/node24.mjs';
import type { RunEvent } from './executor/events.js';
import { runScratch, workflow } from './run-scratch.js';

interface Received {
  method: string;
  path: string;
  authorization: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the action sent
  body: any;
}

let server: Server;
let url: string;
let received: Received[];
let answer: (request: Received) => { status: number; body?: object };

beforeEach(async () => {
  received = [];
  server = createServer(async (request, response) => {
    const got = await read(request);
    received.push(got);
    const { status, body } = answer(got);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body ? JSON.stringify(body) : 'no');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

async function read(request: IncomingMessage): Promise<Received> {
  let text = '';
  for await (const chunk of request) text += chunk;
  const { method = '', url: path = '', headers } = request;
  return { method, path, authorization: headers.authorization, body: text === '' ? undefined : JSON.parse(text) };
}

const run = (steps: string, secrets: Record<string, string> = {}, onEvent: (event: RunEvent) => void = () => {}) =>
  runScratch(
    {
      'notes.md': '### Added\n- `$(id)` & <b>\n',
      ...workflow(`a:\n  runs-on: ubuntu-latest\n  steps:\n    - uses: actions/checkout@v6\n${steps}`),
    },
    {
      repositories: { 'slipway/slipway': { name: 'slipway/slipway', directory: root } },
      apiUrl: url,
      serverUrl: 'https://github.example',
      token: 'job-token-1234',
      secrets,
      onEvent,
    },
  );

const notify = (url: string) => `
    - id: note
      uses: slipway/slipway/.github/actions/notify@v1
      with:
        event: completed
        service: shop <script>
        version: 1.4.0
        environment: production
        started-at: '1000'
        slack-webhook-url: \${{ secrets.SLACK }}
        notify-url: ${url}
    - run: 'test -n "\${{ steps.note.outputs.at }}"'
`;

describe('notify', () => {
  it('tells Slack in its escapes and any URL in JSON', async () => {
    answer = () => ({ status: 200 });
    const done = await run(notify(`${url}/hook`), { SLACK: `${url}/slack/T0K3N` });
    expect(done.conclusion).toBe('success');
    const slack = received.find(({ path }) => path === '/slack/T0K3N');
    expect(slack?.body.text).toMatch(
      /^shop &lt;script&gt; 1\.4\.0 is released to all users of production after \d+ min \d+ s\. <https:.*\|Run>$/,
    );
    const hook = received.find(({ path }) => path === '/hook');
    expect(hook?.body).toMatchObject({
      event: 'completed',
      service: 'shop <script>',
      runUrl: 'https://github.example/acme/shop/actions/runs/1',
    });
    expect(hook?.body.seconds).toBeGreaterThan(1_000_000);
  });

  it.each([
    ['rolled-back', / did not get through and was rolled back on production after .* s\.$/],
    ['nothing-moved', / did not get through on production after .* s: no user had been moved to it\.$/],
    ['rollback-failed', / did not get through on production after .* s, and the ROLLBACK FAILED: /],
  ])('tells the truth about the way back: %s', async (event, words) => {
    answer = () => ({ status: 200 });
    await run(notify(`${url}/hook`).replace('completed', event));
    expect(received.find(({ path }) => path === '/hook')?.body).toMatchObject({ event, text: expect.stringMatching(words) });
  });

  it.each([
    ['an error status', () => `${url}/hook`],
    ['a closed port', () => 'http://127.0.0.1:9/'],
    ['no URL at all', () => '"not a url"'],
  ])('warns and goes on after %s, without printing the URL', async (_, target) => {
    answer = () => ({ status: 500 });
    const done = await run(notify(target()), { SLACK: `${url}/slack/T0K3N` });
    expect(done.conclusion).toBe('success');
    const warnings = done.events.flatMap((event) => (event.type === 'annotation' && event.level === 'warning' ? [event.message] : []));
    expect(warnings).toHaveLength(2);
    expect(JSON.stringify(done.events)).not.toContain('T0K3N');
  });
});

const publish = `
    - id: release
      uses: slipway/slipway/.github/actions/github-release@v1
      with: { tag: v1.4.0-rc.1, notes-file: notes.md, prerelease: 'true' }
    - run: 'echo "page: \${{ steps.release.outputs.url }}"'
`;

describe('github-release', () => {
  it('creates the release with the notes as they are', async () => {
    answer = ({ body }) => ({ status: 201, body: { id: 7, html_url: `https://github.example/${body.tag_name}` } });
    const done = await run(publish);
    expect(done.lines).toContain('page: https://github.example/v1.4.0-rc.1');
    expect(received).toMatchObject([
      {
        method: 'POST',
        path: '/repos/acme/shop/releases',
        authorization: 'Bearer job-token-1234',
        body: { tag_name: 'v1.4.0-rc.1', prerelease: true, make_latest: 'false', body: '### Added\n- `$(id)` & <b>\n' },
      },
    ]);
  });

  it('updates it on a re-run, and tries busy answers again', async () => {
    let busy = 1;
    answer = ({ method }) => {
      if (busy-- > 0) return { status: 502 };
      if (method === 'POST') return { status: 422, body: { errors: [{ code: 'already_exists' }] } };
      return { status: 200, body: { id: 7, html_url: 'https://github.example/7' } };
    };
    const done = await run(publish);
    expect(done.conclusion).toBe('success');
    expect(received.map(({ method, path }) => `${method} ${path.replace('/repos/acme/shop/', '')}`)).toEqual([
      'POST releases',
      'POST releases',
      'GET releases/tags/v1.4.0-rc.1',
      'PATCH releases/7',
    ]);
  });

  it('fails with the missing permission', async () => {
    answer = () => ({ status: 403, body: { message: 'Resource not accessible\n::set-env name=A::b' } });
    const done = await run(publish);
    expect(done.conclusion).toBe('failure');
    expect(done.errors[0]).toMatch(/GitHub answered 403 for v1\.4\.0-rc\.1.*permissions: contents: write/);
  });
});

describe('github-release without a network', () => {
  it('names the host, the cause and what to do', async () => {
    await new Promise((resolve) => server.close(resolve));
    const done = await run(publish);
    expect(done.conclusion).toBe('failure');
    expect(done.errors[0]).toContain(
      `No answer from ${url} (GITHUB_API_URL) for v1.4.0-rc.1, three times: ECONNREFUSED. Check the runner's`,
    );
  });
});

describe('kubeconfig', () => {
  it('writes a file for this user only, and removes it after the job', async () => {
    let path = '';
    const existed: boolean[] = [];
    const done = await run(
      `
    - id: kubeconfig
      uses: slipway/slipway/.github/actions/kubeconfig@v1
      with: { content: "\${{ secrets.KUBECONFIG }}" }
    - run: 'stat -c %a "$FILE"; wc -l < "$FILE"'
      env: { FILE: "\${{ steps.kubeconfig.outputs.path }}" }
`,
      { KUBECONFIG: 'apiVersion: v1\nkind: Config' },
      (event) => {
        if (event.type === 'output' && event.name === 'path') path = event.value;
        if (event.type === 'step-end') existed.push(path !== '' && existsSync(path));
      },
    );
    expect(done.conclusion).toBe('success');
    expect(done.lines.slice(-2)).toEqual(['600', '2']);
    // After checkout, kubeconfig, run, and the post step.
    expect(existed).toEqual([false, true, true, false]);
  });

  it('writes nothing without content', async () => {
    const done = await run(`
    - { id: kubeconfig, uses: slipway/slipway/.github/actions/kubeconfig@v1, with: { content: "\${{ secrets.NONE }}" } }
    - run: 'echo "path=\${{ steps.kubeconfig.outputs.path }}"'
`);
    expect(done.lines.at(-1)).toBe('path=');
  });
});
