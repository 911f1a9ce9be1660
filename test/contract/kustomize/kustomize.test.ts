import { test } from 'node:test';
import { checkAgainstGolden, checkDifferencesAreCases } from '../knownDifference.ts';
import { builds, caseNames, readCase, readGolden } from './cases.ts';
import { knownDifferences } from './knownDifferences.ts';
import { buildWithPlumb, type BuildAnswer } from './plumbBuild.ts';

const names = caseNames().flatMap((name) => builds.map((build) => `${name} (${build})`));

for (const name of caseNames()) {
  for (const build of builds) {
    const title = `${name} (${build})`;
    test(title, () => {
      const { files, options } = readCase(name);
      const answer = buildWithPlumb(files, options, build);
      checkAgainstGolden(title, knownDifferences, comparable(answer), comparable(readGolden(name, build)));
    });
  }
}

test('known differences are cases', () => checkDifferencesAreCases(knownDifferences, names));

/** What upstream refuses must be refused; our words are our own, as they name file and line. */
function comparable({ output, error }: BuildAnswer): string {
  return error === undefined ? (output ?? '') : 'refused';
}
