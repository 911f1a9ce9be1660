import { continueWith } from './prepare.mjs';

continueWith('scripts/recordGoldens.ts', process.argv.slice(2));
