import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { fleet, type Run, runPlumb, writeKubeconfig } from './plumbProcess.ts';

const folder = mkdtempSync(join(tmpdir(), 'plumb-cli-'));
after(() => rmSync(folder, { recursive: true }));

function plumb(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = folder): Run {
  return runPlumb(args, { cwd, env: { HOME: folder, ...env } });
}

function kubeconfig(name: string, server: string): string {
  return writeKubeconfig(join(folder, name), { server });
}

test('without arguments it teaches: every command in a line, and the exit codes', () => {
  const run = plumb([]);
  assert.equal(run.code, 0);
  for (const { name } of commands) assert.match(run.out, new RegExp(`^  ${name} `, 'm'));
  assert.match(run.out, /130 cancelled/);
});

test('every command has help with usage, examples and flags', () => {
  for (const { name } of commands) {
    const run = plumb([name, '--help']);
    assert.equal(run.code, 0, name);
    assert.match(run.out, /Usage: plumb [\s\S]*Examples:[\s\S]*Flags:[\s\S]*--help/, name);
  }
});

test('wrong usage exits with 64 and says what is right', () => {
  const unknown = plumb(['recon']);
  assert.deepEqual([unknown.code, unknown.out], [64, '']);
  assert.match(unknown.err, /did you mean reconcile\?/);
  const flag = plumb(['get', '--nope']);
  assert.equal(flag.code, 64);
  assert.match(flag.err, /Usage: plumb get/);
  const format = plumb(['get', '-o', 'xml'], {}, fleet);
  assert.equal(format.code, 64);
  assert.match(format.err, /text, json or yaml/);
});

test('no colours in a pipe, colours when forced', () => {
  assert.doesNotMatch(plumb(['get'], {}, fleet).out, /\u001b/);
  assert.match(plumb(['get'], { FORCE_COLOR: '1' }, fleet).out, /\u001b/);
  assert.doesNotMatch(plumb(['get', '--no-color'], { FORCE_COLOR: '1' }, fleet).out, /\u001b/);
});

test('without a cluster the files are shown alone, and it says why', () => {
  const run = plumb(['get', '-o', 'json', '--kubeconfig', join(folder, 'none')], {}, fleet);
  assert.equal(run.code, 0);
  assert.match(run.err, /none does not exist; showing the files alone/);
  const tree = JSON.parse(run.out) as { workloads: { ref: { name: string }; presence: string }[] };
  assert.deepEqual(tree.workloads.map(({ ref, presence }) => `${ref.name} ${presence}`).sort(), [
    'apps unknown',
    'flux-system unknown',
    'infra unknown',
  ]);
});

test('a dead cluster is told by its address, with exit code 4 and what to do', () => {
  const dead = kubeconfig('dead', 'https://127.0.0.1:1');
  const run = plumb(['diff', 'kustomization', 'apps', '--kubeconfig', dead], {}, fleet);
  assert.deepEqual([run.code, run.out], [4, '']);
  assert.match(run.err, /https:\/\/127\.0\.0\.1:1 \(context c\).*\(ClusterUnreachable\)\n {2}\S/);
});

test('a wrong context is told with the contexts there are, with exit code 2', () => {
  const run = plumb(
    ['get', '--kubeconfig', kubeconfig('one', 'https://127.0.0.1:1'), '--context', 'prod'],
    {},
    fleet,
  );
  assert.equal(run.code, 0);
  assert.match(run.err, /prod/);
  const diff = plumb(
    ['diff', 'ks', 'apps', '--kubeconfig', join(folder, 'one'), '--context', 'prod'],
    {},
    fleet,
  );
  assert.equal(diff.code, 2);
  assert.match(diff.err, /prod/);
});

test('a change of the cluster is never confirmed by nobody', () => {
  const run = plumb(['suspend', 'nonsense', 'x', '--kubeconfig', kubeconfig('two', 'https://127.0.0.1:1')]);
  assert.equal(run.code, 2);
  assert.match(run.err, /is no Flux kind/);
});

test('a folder is built as kustomize prints it, and each field is explained by its line', () => {
  const run = plumb(['build', join(fleet, 'apps/dev')]);
  assert.equal(run.code, 0, run.err);
  assert.equal(run.out.split('\n---\n').length, 8);
  assert.match(run.out, /^apiVersion: v1\nautomountServiceAccountToken: false\nkind: ServiceAccount\n/);
  const explained = plumb(['build', 'apps/dev', '--explain'], {}, fleet);
  assert.match(explained.out, /^Deployment\/shop\/web \/spec\/replicas {2}web\.yaml:7$/m);
  assert.match(explained.out, /^Deployment\/shop\/api \/spec\/replicas {2}kustomization\.yaml:15$/m);
});

test('a folder that cannot be built is told with file and line, and exit code 2', () => {
  writeFileSync(join(folder, 'kustomization.yaml'), 'resources:\n  - gone.yaml\n');
  const run = plumb(['build', '.']);
  assert.deepEqual([run.code, run.out], [2, '']);
  assert.match(run.err, /kustomization\.yaml:2:\d+: error: .*gone\.yaml/);
  assert.equal(plumb(['build', 'nowhere']).code, 2);
});
