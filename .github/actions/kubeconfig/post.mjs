import { rmSync } from 'node:fs';

// Runs after the post steps of the actions that use the file: the runner goes backwards.
if (process.env.STATE_path) rmSync(process.env.STATE_path, { force: true });
