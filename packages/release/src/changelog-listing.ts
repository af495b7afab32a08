import type { Changelog } from './changelog.js';
import { type ChangelogProblem, findProblems } from './changelog-problems.js';

/** What `changelog list` prints as JSON. Lines are 1-based, both included. */
export interface ChangelogListing {
  releases: { version: string; date: string | null; yanked: boolean; line: number; endLine: number }[];
  unreleased: { line: number; endLine: number; empty: boolean } | null;
  problems: ChangelogProblem[];
}

export function listChangelog(changelog: Changelog, now: number): ChangelogListing {
  const { unreleased } = changelog;
  return {
    releases: changelog.releases.map(({ version, date, yanked, line, endLine }) => ({ version, date, yanked, line, endLine })),
    unreleased: unreleased && { line: unreleased.line, endLine: unreleased.endLine, empty: unreleased.empty },
    problems: findProblems(changelog, now),
  };
}
