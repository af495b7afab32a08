#!/usr/bin/env node
import { runCommandLine } from './index.js';
const code = await runCommandLine(process.argv.slice(2), { version: '0.1.0' });
if (code !== undefined) process.exitCode = code;
