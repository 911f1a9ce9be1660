import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from '../../../src/base/fileTree.ts';
import { BuildCache } from '../../../src/lib/kustomize/buildCache.ts';
import {
  buildKustomization,
  type BuildOptions,
  type BuildResult,
} from '../../../src/lib/kustomize/buildKustomization.ts';
import { printBuild } from '../../../src/lib/kustomize/printBuild.ts';
import { caseNames, readCase, type CaseOptions } from './cases.ts';

/** What can happen to a file: other lines, another value, another name for what it names, gone. */
const changes: Readonly<Record<string, (text: string) => string | undefined>> = {
  'a line added': (text) => `# added\n${text}`,
  'a value changed': (text) => text.replace(/(: +)([\w.-]+)( *)$/m, '$1$2x$3'),
  'a name changed': (text) => text.replace(/(name: +)([\w.-]+)/, '$1$2-x'),
  'the last line removed': (text) => text.replace(/[^\n]*\n?$/, ''),
  removed: () => undefined,
};

for (const name of caseNames())
  test(`a build that reuses an earlier one equals a fresh one: ${name}`, () => {
    const { files, options } = readCase(name);
    const tree = FileTree.from(files);
    const cache = new BuildCache();
    checkReuse(tree, options, cache, 'as it is');
    for (const [path, bytes] of files)
      for (const [title, change] of Object.entries(changes)) {
        const text = Buffer.from(bytes).toString();
        checkReuse(tree.with(path, change(text)), options, cache, `${path}: ${title}`);
      }
    checkReuse(tree, options, cache, 'as it was');
  });

function checkReuse(tree: FileTree, options: CaseOptions, cache: BuildCache, title: string): void {
  const { path = '', loadRestrictor } = options;
  const program: BuildOptions = {
    order: 'legacy',
    loadRestrictions: loadRestrictor === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
  };
  for (const how of [program, { refuseRemotes: true }])
    assert.deepEqual(
      told(buildKustomization(tree, path, { ...how, cache })),
      told(buildKustomization(tree, path, how)),
      title,
    );
}

/** All that a build says: objects in their order and as they print, every origin, problems and needs. */
function told({ objects, diagnostics, needs }: BuildResult) {
  return {
    objects: objects.map(({ object, origins }) => ({ object, origins: [...origins.entries()] })),
    text: printBuild(objects),
    diagnostics,
    needs,
  };
}
