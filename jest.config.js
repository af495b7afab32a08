/**
 * Tests are ES modules in TypeScript: run with NODE_OPTIONS=--experimental-vm-modules (`npm test` does).
 * ts-jest only strips the types; they are checked by tsc in `npm run lint`.
 */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/actions/*/test/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  // The end-to-end tests need a real API server and have a runner of their own.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/e2e/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    // The parser imports its schemas without an import attribute, which jest warns of each time.
    '^\\.\\./(workflow|action)-v1\\.0\\.min\\.json$': '<rootDir>/test/workflows/parser-schema/$1.mjs',
    // TypeScript's ESM imports name the file that would be emitted.
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // Not in the package's `exports`; imported apart so that the gates do without the package's HTTP client.
    '^@actions/core/lib/(.*)$': '<rootDir>/node_modules/@actions/core/lib/$1',
  },
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, diagnostics: false }] },
  clearMocks: true,
  testTimeout: 20_000,
  // Most of the time tests wait for a world to move; one worker per core keeps its clock honest.
  maxWorkers: 2,
};
