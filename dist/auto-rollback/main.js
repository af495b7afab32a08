import { main } from '../cluster/index.js';
await main('auto-rollback');
