import { post } from '../cluster/index.js';
await post('canary-analyze');
