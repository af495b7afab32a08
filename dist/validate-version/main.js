import { main } from '../gates/index.js';
await main('validate-version');
