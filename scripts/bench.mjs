import { continueWith } from './prepare.mjs';

continueWith('scripts/runBenches.ts', process.argv.slice(2));
