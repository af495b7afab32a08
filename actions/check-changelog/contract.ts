import { defineContract } from '@slipway/core';
import type { ChangelogFileReason, ChangelogReason } from '@slipway/release';

const reasons = {
  FOUND: 'The version has one displayed section with entries.',
  VERSION_MISSING: 'No section, and nothing that looks like one.',
  IN_CODE: 'The heading is only in a code block.',
  IN_COMMENT: 'The heading is only in an HTML comment.',
  IN_DETAILS: 'The heading is only in a `<details>` element.',
  IN_HTML: 'The heading is only in an HTML block.',
  IN_QUOTE: 'The heading is only in a block quote.',
  IN_LIST: 'The heading is only in a list.',
  NOT_A_HEADING: 'A line looks like the heading but is none, as `##[1.4.0]` without a space, or `**1.4.0**`.',
  UNCLOSED_FENCE: 'A code fence is never closed and takes in the heading, or all that follows it.',
  UNCLOSED_HTML: 'An HTML comment or block is never closed and takes in the heading, or all that follows it.',
  NESTED_TOO_DEEP: 'Lists or quotes are nested so deeply that the rest of the file cannot be read.',
  DUPLICATE_VERSION: 'The version has two sections.',
  VERSION_YANKED: 'The section is marked as withdrawn (YANKED).',
  DATE_INVALID: 'The date is not a day of the calendar, or a placeholder stands in its place.',
  DATE_IN_FUTURE: 'The date has not begun in any time zone.',
  EMPTY_SECTION: 'The section has no entries.',
  FILE_MISSING: 'There is no such file.',
  FILE_UNREADABLE: 'The file is a directory, or may not be read.',
  TOO_LARGE: 'The file has more than 2 MB, or more than 40,000 lines and marks of lists, headings and links.',
  NOT_TEXT: 'The file is not UTF-8.',
} as const satisfies Record<ChangelogReason | ChangelogFileReason, string>;

export const contract = defineContract({
  name: 'check-changelog',
  family: 'gates',
  description:
    'Says whether the changelog has a section for a version, displayed, dated and filled, and hands out its text as release notes.',
  inputs: {
    version: {
      kind: 'string',
      description: 'The version to release, with or without the tag prefix; its build (`+…`) does not matter.',
      example: 'v1.4.0',
      required: true,
    },
    file: { kind: 'string', description: 'The changelog, Markdown.', default: 'CHANGELOG.md', example: 'docs/CHANGELOG.md' },
    'notes-file': {
      kind: 'string',
      description: 'Where to write the text of the section. Default: a new file in the temporary directory of the runner.',
      example: 'release-notes.md',
    },
    'tag-prefix': {
      kind: 'string',
      description: 'What tags, and perhaps headings, have in front of the version; `none` for nothing.',
      default: 'v',
      example: 'shop-v',
    },
  },
  outputs: {
    notes: {
      description:
        'The text of the section with the link references that it uses. Give it to other steps through `env:`, never inside `run:`.',
    },
    'notes-file': { description: 'The file with the same text.' },
    date: { description: 'The date in the heading, `YYYY-MM-DD`; empty without one.' },
    line: { description: 'The line of the heading.' },
    yanked: { description: 'Whether the section is marked as withdrawn: `true` or `false`.' },
  },
  reasons,
  permissions: ['`contents: read`, for actions/checkout.'],
  cli: { positionals: ['version', 'file'] },
});
