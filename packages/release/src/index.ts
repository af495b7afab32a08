export { type Changelog, type ChangelogOptions, parseChangelog, type Release, type Section } from './changelog.js';
export {
  type ChangelogQuestion,
  type ChangelogReason,
  type ChangelogVerdict,
  checkChangelog,
} from './changelog-check.js';
export { type ChangelogFile, type ChangelogFileReason, readChangelogFile } from './changelog-file.js';
export { type RecognizedHeading, recognizeHeading } from './changelog-heading.js';
export { type ChangelogListing, listChangelog } from './changelog-listing.js';
export { notesOf } from './changelog-notes.js';
export { type ChangelogProblem, type ChangelogProblemCode, changelogProblemCodes, findProblems } from './changelog-problems.js';
export {
  type ChangelogSource,
  changelogSource,
  maxChangelogBytes,
  maxChangelogMarks,
  type ReadSource,
  readChangelogSource,
  sliceLines,
} from './changelog-source.js';
export { type Fix, headingFor, sectionBlock } from './changelog-template.js';
export { describeCharacter, printable } from './characters.js';
export { type GitTag, type RepositoryTags, readTags } from './git-tags.js';
export { choosePrevious, highest } from './release-line.js';
export { parseTagPrefix } from './tag-prefix.js';
export {
  compareVersions,
  dockerTag,
  formatVersion,
  isPrerelease,
  type Stage,
  stages,
  type Version,
} from './version.js';
export {
  type Baseline,
  checkVersion,
  releasedVersions,
  type VersionDetails,
  type VersionQuestion,
  type VersionReason,
  type VersionVerdict,
} from './version-check.js';
export {
  type GrammarOptions,
  type GrammarProblem,
  type GrammarReason,
  maxVersionLength,
  type ParsedVersion,
  parseVersion,
} from './version-grammar.js';
export { suggestVersion } from './version-repair.js';
export { type Bump, judgeSuccession, nextLegal, type Succession, type SuccessionReason } from './version-succession.js';
