/** The repository's root folder. */
export const root: string;
/** Path of a Node of major version 24 or later. */
export function node24(): string;
