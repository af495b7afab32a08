import { rootMain } from '../cli/index.js';
await rootMain();
