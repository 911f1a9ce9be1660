import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { formatDiagnostic } from '../base/diagnostic.ts';
import { buildTarget, type LocalBuild } from './localBuild.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plumb-local-')));
after(() => rmSync(folder, { recursive: true, force: true }));
const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
const write = (path: string, content: string | Uint8Array): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
};
write('outside/a.yaml', configMap('outside'));
write('base/kustomization.yaml', 'resources: [b.yaml]\n');
write('base/b.yaml', configMap('base'));
write('app/own.yaml', configMap('own'));
write('app/latin.yaml', Uint8Array.of(0x61, 0x3a, 0xe9, 0x0a));
write('app/binary.yaml', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0x00, 0xff));
symlinkSync('../outside/a.yaml', join(folder, 'app/link.yaml'));
symlinkSync('../base', join(folder, 'app/linked'));
symlinkSync('.', join(folder, 'app/self'));
symlinkSync('nowhere', join(folder, 'app/broken.yaml'));

function buildApp(resource: string, loadRestrictions: 'rootOnly' | 'none'): Promise<LocalBuild> {
  write('app/kustomization.yaml', `resources:\n  - ${resource}\n`);
  return buildTarget('app', folder, {
    loadRestrictions,
    format: 'yaml',
    remoteBases: 'refused',
    signal: new AbortController().signal,
  });
}

async function build(resource: string, loadRestrictions: 'rootOnly' | 'none'): Promise<string> {
  const { text, diagnostics } = await buildApp(resource, loadRestrictions);
  const [problem] = diagnostics;
  if (problem === undefined) return /name: (.*)\n/.exec(text)?.[1] ?? '';
  return `${problem.code} ${problem.path}:${problem.range.start.line + 1}`;
}

const missing = 'build-file-missing kustomization.yaml:2';
const outside = 'build-outside-root kustomization.yaml:2';
const cycle = 'build-cycle kustomization.yaml:2';

/** What kustomize 5.8.1 makes of each, with load restrictions and without. */
const paths: readonly (readonly [resource: string, rootOnly: string, none: string])[] = [
  ['own.yaml', 'own', 'own'],
  [join(folder, 'app/own.yaml'), 'own', 'own'],
  ['../outside/a.yaml', outside, 'outside'],
  [join(folder, 'outside/a.yaml'), outside, 'outside'],
  ['link.yaml', outside, 'outside'],
  ['linked', 'base', 'base'],
  ['../base', 'base', 'base'],
  ['self', cycle, cycle],
  ['..', cycle, cycle],
  ['broken.yaml', missing, missing],
  ['gone.yaml', missing, missing],
  ['latin.yaml', 'build-invalid-file latin.yaml:1', 'build-invalid-file latin.yaml:1'],
  ['binary.yaml', 'build-invalid-file binary.yaml:1', 'build-invalid-file binary.yaml:1'],
];

for (const [resource, rootOnly, none] of paths) {
  test(`the path ${resource.replace(folder, '')} is read, or refused with its place, as kustomize does`, async () => {
    assert.equal(await build(resource, 'rootOnly'), rootOnly);
    assert.equal(await build(resource, 'none'), none);
  });
}

test('what is wrong with a file is told without its path on the disk', async () => {
  const told = async (resource: string) =>
    (await buildApp(resource, 'rootOnly')).diagnostics.map(formatDiagnostic);
  assert.deepEqual(await told('broken.yaml'), [
    'kustomization.yaml:2:5: error: there is no file broken.yaml (it is a link that leads nowhere, or no regular file)',
  ]);
  assert.deepEqual(await told('latin.yaml'), [
    'latin.yaml:1:1: error: the file is not UTF-8 text (a binary file can be content of a ConfigMap or Secret, but no resource)',
  ]);
});
