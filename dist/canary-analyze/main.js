import { main } from '../cluster/index.js';
await main('canary-analyze');
