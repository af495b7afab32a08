import { defineContract } from '@slipway/core';
import type { VersionReason } from '@slipway/release';

const reasons = {
  LEGAL: 'Well formed, and it may follow the previous version.',
  FIRST_RELEASE: 'Well formed, and there is no earlier version.',
  EMPTY: 'The version is empty.',
  TOO_LONG: 'The version is longer than 128 characters.',
  ILLEGAL_CHARACTER: 'A character that no version has at this place, such as a space, a `$`, or a letter in place of a digit.',
  MISSING_PART: 'Fewer than three numbers, as in `v1.2`.',
  TOO_MANY_PARTS: 'More numbers than a version has, as in `1.2.3.4` or `1.2.3-rc.1.2`.',
  LEADING_ZERO: 'A number begins with 0, as in `v01.2.3`.',
  NUMBER_TOO_LARGE: 'A number is larger than 9007199254740991.',
  UNKNOWN_STAGE: 'The prerelease is none of `alpha.N`, `beta.N`, `rc.N`.',
  STAGE_NUMBER_MISSING: 'The prerelease has no number, as in `1.2.3-rc`.',
  BAD_BUILD: 'What follows `+` is not a short commit hash.',
  ALREADY_RELEASED: 'This version is released: it is the previous one, or its tag points to another commit.',
  SAME_PRECEDENCE: 'It differs from a released version only in the build, so neither is newer.',
  NOT_GREATER: 'It is lower than the previous version of its line.',
  STAGE_WENT_BACK: 'The stage goes back, as from `rc.2` to `beta.3`.',
  SKIPPED_NUMBER: 'A number was left out, as from 1.2.3 to 1.2.5.',
  LOWER_PART_NOT_RESET: 'A number was raised and a lower one is not 0, as from 1.2.3 to 1.3.3.',
  BUILD_NOT_THIS_COMMIT: 'The build is not the hash of the commit that is released.',
  SHALLOW_CLONE: 'The clone is shallow and has no earlier version tag, so nothing can be said.',
  NO_TAG_WITH_PREFIX: 'No version tag has the prefix, but there are version tags without it (or with `v`).',
  NOT_A_REPOSITORY: 'The working directory is not in a git repository.',
  GIT_FAILED: 'git is not installed, or refuses the repository.',
} as const satisfies Record<VersionReason, string>;

export const contract = defineContract({
  name: 'validate-version',
  family: 'gates',
  description: 'Says whether a version is well formed and may follow what was released before, and takes it apart.',
  inputs: {
    version: {
      kind: 'string',
      description: 'The version to release, with or without the tag prefix. In a workflow on tags: `${{ github.ref_name }}`.',
      example: 'v1.4.0',
      required: true,
    },
    previous: {
      kind: 'string',
      description: 'The version to compare with, or `none` for a first release. Default: the tags of the repository, by git.',
      example: 'v1.3.2',
    },
    'tag-prefix': {
      kind: 'string',
      description: 'What tags have in front of the version; `none` when they are bare versions.',
      default: 'v',
      example: 'shop-v',
    },
  },
  outputs: {
    version: { description: 'The version without prefix, e.g. `1.4.0-rc.1+3f2c1ab`.' },
    major: { description: 'The first number.' },
    minor: { description: 'The second number.' },
    patch: { description: 'The third number.' },
    stage: { description: '`alpha`, `beta` or `rc`; empty for a final release.' },
    'stage-number': { description: 'The number of the prerelease; empty for a final release.' },
    build: { description: 'The commit hash after `+`; empty without one.' },
    'is-prerelease': { description: '`true` or `false`.' },
    tag: { description: 'The version with the tag prefix.' },
    bump: {
      description: '`major`, `minor`, `patch`, `prerelease` (next of the same numbers), `release` (its prereleases are over) or `first`.',
    },
    previous: { description: 'The version that it was compared with; empty for a first release.' },
    'next-legal': {
      description: 'JSON list of the versions that may follow `previous`, nearest first; also set when the version is refused.',
    },
    'docker-tag': { description: 'The version as an image tag: `+` becomes `_`.' },
  },
  reasons,
  permissions: ['`contents: read`, for actions/checkout. Tags have to be there: `fetch-depth: 0` or `fetch-tags: true`.'],
  cli: { positionals: ['version'] },
});
