export class GitHubWorld {
  readonly token = 'sandbox-github-token';
  constructor(readonly repository: string) {}
}
