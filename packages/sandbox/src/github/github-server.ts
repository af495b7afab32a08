import { LoopbackServer, sendJson } from '../server/loopback-server.js';
import type { GitHubWorld } from './github-world.js';
export function startGitHubServer(_world: GitHubWorld, port = 0): Promise<LoopbackServer> {
  return LoopbackServer.start((_request, response) => sendJson(response, 404, { message: 'Not Found' }), { port });
}
