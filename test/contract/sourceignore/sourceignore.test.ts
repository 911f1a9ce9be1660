import { FileTree } from '../../../src/base/fileTree.ts';
import { applySourceIgnore } from '../../../src/lib/sourceignore/sourceIgnore.ts';
import { checkVectors } from '../vectors.ts';
import { knownDifferences } from './knownDifferences.ts';

checkVectors('sourceignore', knownDifferences, (input) => {
  const { files, ignore } = input as { files: Record<string, string>; ignore?: string };
  const kept = applySourceIgnore(FileTree.from(Object.entries(files)), ignore);
  return { output: [...kept.paths()].sort() };
});
