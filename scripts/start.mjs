import { continueWith } from './prepare.mjs';

continueWith('scripts/start/main.ts', process.argv.slice(2));
