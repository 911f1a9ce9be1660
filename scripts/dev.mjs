import { continueWith } from './prepare.mjs';

continueWith('scripts/dev.ts', process.argv.slice(2));
