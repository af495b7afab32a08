import fc from 'fast-check';
import { stages, type Version } from '../src/index.js';

const number = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 31 }));
const hash = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 4, maxLength: 40 });

/** Any version of the grammar; small numbers are likelier, so that neighbours meet. */
export const anyVersion: fc.Arbitrary<Version> = fc
  .record({
    major: number,
    minor: number,
    patch: number,
    prerelease: fc.option(fc.record({ stage: fc.constantFrom(...stages), stageNumber: number })),
    build: fc.option(hash),
  })
  .map(({ major, minor, patch, prerelease, build }) => ({
    major,
    minor,
    patch,
    stage: prerelease?.stage ?? null,
    stageNumber: prerelease?.stageNumber ?? null,
    build,
  }));
