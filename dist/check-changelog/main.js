import { main } from '../gates/index.js';
await main('check-changelog');
