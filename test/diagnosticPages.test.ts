import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { Diagnostic } from '../src/base/diagnostic.ts';
import { FileTree } from '../src/base/fileTree.ts';
import { treeDirname } from '../src/base/treePath.ts';
import { createLanguageService } from '../src/language/languageService.ts';
import { buildKustomization } from '../src/lib/kustomize/buildKustomization.ts';
import { buildCodes } from '../src/lib/kustomize/problem.ts';
import { diagnosticCodes } from '../src/language/rules/allRules.ts';

const folder = resolve(import.meta.dirname, '../docs/diagnostics');

for (const code of diagnosticCodes) {
  test(`the page of ${code} has an example that gives it and one that gives nothing`, () => {
    const path = join(folder, `${code}.md`);
    assert.ok(existsSync(path), `write docs/diagnostics/${code}.md`);
    const [, bad, good] = readFileSync(path, 'utf8').split(/^## (?:Bad|Good)$/m);
    assert.deepEqual([...new Set(codesOf(bad ?? ''))], [code]);
    assert.deepEqual(codesOf(good ?? ''), []);
  });
}

for (const code of buildCodes) {
  test(`the page of ${code} has an example whose build gives it, with a place, and one that builds`, () => {
    const [, bad, good] = readFileSync(join(folder, `${code}.md`), 'utf8').split(/^## (?:Bad|Good)$/m);
    const told = problemsOf(bad ?? '', code);
    assert.deepEqual([...new Set(told.map((problem) => problem.code))], [code]);
    const files = filesOf(bad ?? '').map(([path]) => path);
    for (const { path, message } of told) {
      assert.ok(
        files.includes(path) || code === 'kustomization-missing',
        `${path} is no file of the example`,
      );
      assert.notEqual(message, '');
    }
    assert.deepEqual(problemsOf(good ?? '', code), []);
  });
}

test('the list of pages names every code', () => {
  const rows = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^\| \[([\w-]+)\]\(\1\.md\)/gm)];
  const listed = rows.map((match) => match[1] ?? '');
  assert.deepEqual(
    [...diagnosticCodes, ...buildCodes].filter((code) => !listed.includes(code)),
    [],
  );
});

/** The codes found in the files of a section: fenced blocks whose first line ends in the file's path. */
function codesOf(section: string): string[] {
  const service = createLanguageService({ uriOf: (path) => path });
  for (const [path, text] of filesOf(section)) service.setFile(path, text);
  return [...service.paths()].flatMap((path) => service.diagnostics(path).map(({ code }) => code));
}

/** The problems of the build of a section's files; the folder of the first one is built. */
function problemsOf(section: string, code: string): readonly Diagnostic[] {
  const files = filesOf(section);
  const root = treeDirname(files[0]?.[0] ?? '');
  const { diagnostics } = buildKustomization(FileTree.from(files), root, {
    loadRestrictions: 'rootOnly',
    refuseRemotes: true,
    ...(code === 'kustomization-field-dropped' && { rootChanges: { marksWithoutResources: true } }),
  });
  return diagnostics;
}

function filesOf(section: string): readonly (readonly [path: string, text: string])[] {
  const files = [...section.matchAll(/^```yaml (\S+)\n(.*?)^```$/gms)];
  assert.ok(files.length > 0, 'the section has no ```yaml <path> block');
  return files.map(([, path = '', text = '']) => [path, text] as const);
}
