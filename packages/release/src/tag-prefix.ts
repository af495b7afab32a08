import type { Problem } from '@slipway/core';

/** How a user says that tags are bare versions: an empty input would mean the default. */
const noPrefix = 'none';

/**
 * Reads the `tag-prefix` input: what stands in front of the version in a tag (`v`, `shop-v`, `apps/shop@`), or `none`.
 * A prefix that ends in a digit or a dot is refused, since it could not be told from the version.
 */
export function parseTagPrefix(text: string): { prefix: string } | { problem: Problem } {
  if (text === noPrefix || text === '') return { prefix: '' };
  if (/^[A-Za-z0-9._@/-]{1,64}$/.test(text) && !/[0-9.]$/.test(text)) return { prefix: text };
  return {
    problem: {
      where: 'tag-prefix',
      message: `${JSON.stringify(text.slice(0, 80))} cannot stand in front of a version`,
      allowed: 'up to 64 letters, digits, ".", "_", "@", "/" or "-", the last one not a digit or "."; or none',
      example: 'shop-v',
    },
  };
}
