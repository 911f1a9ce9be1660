import { continueWith } from './prepare.mjs';

continueWith('scripts/runSuites.ts', process.argv.slice(2));
