import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { createLanguageService } from '../src/language/languageService.ts';
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

test('the list of pages names every code', () => {
  const rows = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^\| \[([\w-]+)\]\(\1\.md\)/gm)];
  const listed = rows.map((match) => match[1] ?? '');
  assert.deepEqual(
    diagnosticCodes.filter((code) => !listed.includes(code)),
    [],
  );
});

/** The codes found in the files of a section: fenced blocks whose first line ends in the file's path. */
function codesOf(section: string): string[] {
  const service = createLanguageService({ uriOf: (path) => path });
  const files = [...section.matchAll(/^```yaml (\S+)\n(.*?)^```$/gms)];
  assert.ok(files.length > 0, 'the section has no ```yaml <path> block');
  for (const [, path = '', text = ''] of files) service.setFile(path, text);
  return [...service.paths()].flatMap((path) => service.diagnostics(path).map(({ code }) => code));
}
