import { createHash } from 'node:crypto';
import { GitHubError } from './github-error.js';

export type Permission = 'contents' | 'deployments' | 'checks' | 'statuses' | 'issues' | 'pull-requests' | 'metadata';
export type Grants = Partial<Record<Permission, 'read' | 'write'>>;

/** One write that was asked for, done or refused. */
export interface GitHubWrite {
  /** Milliseconds since the epoch. */
  at: number;
  method: string;
  path: string;
  body: unknown;
  status: number;
}

/** Any resource: what the API shows of it. */
export interface Resource {
  id: number;
  [field: string]: unknown;
}

/** Kinds of resources that are kept in lists. */
export type Collection =
  | 'releases'
  | 'assets'
  | 'deployments'
  | 'deployment-statuses'
  | 'check-runs'
  | 'commit-statuses'
  | 'issues'
  | 'comments';

/** The state of one repository on GitHub. */
export class GitHubWorld {
  /** A token that may do everything. */
  readonly token = 'ghs_sandbox0000000000000000000000000000';
  readonly owner: string;
  readonly name: string;
  readonly writes: GitHubWrite[] = [];
  /** `heads/main` → commit. */
  readonly refs = new Map<string, string>();
  readonly commits = new Map<string, { sha: string; message: string; parents: string[]; date: string }>();
  /** Annotated tags by their own sha. */
  readonly tagObjects = new Map<string, { sha: string; tag: string; message: string; object: { sha: string; type: string } }>();
  readonly assetContent = new Map<number, Buffer>();
  private readonly grants = new Map<string, Grants | 'all'>();
  private readonly collections = new Map<Collection, Resource[]>();
  private readonly listeners = new Set<(write: GitHubWrite) => void>();
  private lastId = 1000;

  constructor(readonly repository: string) {
    const [owner, name] = repository.split('/');
    if (!owner || !name) throw new Error(`"${repository}" is not owner/name`);
    this.owner = owner;
    this.name = name;
    this.grants.set(this.token, 'all');
    this.refs.set('heads/main', this.commit('Initial commit'));
  }

  /** Makes a token with just these permissions, as `permissions:` of a job does. */
  addToken(token: string, grants: Grants): void {
    this.grants.set(token, grants);
  }

  grantsOf(token: string): Grants | 'all' | undefined {
    return this.grants.get(token);
  }

  /** Adds a commit and answers its sha; on `branch`, when given, as its new head. */
  commit(message: string, branch?: string, sha?: string): string {
    const parent = branch ? this.refs.get(`heads/${branch}`) : undefined;
    const date = now();
    const made = sha ?? createHash('sha1').update(`${message} ${this.commits.size} ${date}`).digest('hex');
    this.commits.set(made, { sha: made, message, parents: parent ? [parent] : [], date });
    if (branch) this.refs.set(`heads/${branch}`, made);
    return made;
  }

  /** Puts a tag on a commit (default: the head of main). */
  tag(name: string, sha = this.refs.get('heads/main') as string): void {
    this.refs.set(`tags/${name}`, sha);
  }

  /** The commit that a sha, branch or tag names; undefined when there is none. */
  resolve(ref: string): string | undefined {
    const short = ref.replace(/^refs\//, '');
    const direct = [short, `tags/${short}`, `heads/${short}`].map((name) => this.refs.get(name)).find(Boolean);
    const named = direct ?? (this.commits.has(short) ? short : undefined);
    return named ? (this.tagObjects.get(named)?.object.sha ?? named) : undefined;
  }

  isAncestor(ancestor: string, of: string): boolean {
    if (ancestor === of) return true;
    return (this.commits.get(of)?.parents ?? []).some((parent) => this.isAncestor(ancestor, parent));
  }

  list(collection: Collection): Resource[] {
    const known = this.collections.get(collection) ?? [];
    this.collections.set(collection, known);
    return known;
  }

  find(collection: Collection, id: number): Resource {
    const found = this.list(collection).find((resource) => resource.id === id);
    if (!found) throw new GitHubError(404, 'Not Found');
    return found;
  }

  add(collection: Collection, fields: Record<string, unknown>): Resource {
    this.lastId += 1;
    const at = now();
    const resource: Resource = { id: this.lastId, node_id: `node_${this.lastId}`, created_at: at, updated_at: at, ...fields };
    this.list(collection).push(resource);
    return resource;
  }

  remove(collection: Collection, id: number): void {
    const list = this.list(collection);
    list.splice(list.indexOf(this.find(collection, id)), 1);
  }

  record(write: GitHubWrite): void {
    this.writes.push(write);
    for (const listener of this.listeners) listener(write);
  }

  onWrite(listener: (write: GitHubWrite) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
