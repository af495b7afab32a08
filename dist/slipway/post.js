import { rootPost } from '../cli/index.js';
await rootPost();
