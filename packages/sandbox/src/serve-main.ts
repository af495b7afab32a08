import { main } from './serve.js';

await main(process.argv.slice(2));
