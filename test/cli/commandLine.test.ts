import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  assert.match(flag.err, /^plumb get: Unknown option '--nope'\nUsage: plumb get/);
  const format = plumb(['get', '-o', 'xml'], {}, fleet);
  assert.equal(format.code, 64);
  assert.match(format.err, /text, json or yaml/);
});

test('an object is named completely, and by no word too many', () => {
  for (const words of [['ks'], ['apps'], ['ks/']])
    assert.match(plumb(['diff', ...words]).err, /named by KIND NAME[^]*Usage: plumb diff/);
  for (const command of ['apply', 'diff', 'prune', 'reconcile', 'resume', 'suspend', 'trace', 'tree']) {
    const none = plumb([command]);
    assert.deepEqual([none.code, none.out], [64, ''], command);
    const many = plumb([command, 'ks', 'apps', 'infra']);
    assert.deepEqual([many.code, many.out], [64, ''], command);
    assert.match(many.err, /unexpected infra: one object is named at a time/);
  }
});

test('get lists one kind or one object, as the Flux CLI and kubectl name them', () => {
  const names = (...words: readonly string[]): string[] => {
    const run = plumb(['get', ...words, '-o', 'json', '--kubeconfig', join(folder, 'none')], {}, fleet);
    assert.equal(run.code, 0, run.err);
    const { sources, workloads } = JSON.parse(run.out) as Record<string, { ref: { name: string } }[]>;
    return [...(sources ?? []), ...(workloads ?? [])].map(({ ref }) => ref.name).sort();
  };
  assert.deepEqual(names('kustomizations'), ['apps', 'flux-system', 'infra']);
  assert.deepEqual(names('ks', 'apps'), ['apps']);
  assert.deepEqual(names('gitrepo/flux-system', '-A'), ['flux-system']);
  assert.deepEqual(names('helmreleases'), []);
  const get = (...words: readonly string[]) =>
    plumb(['get', ...words, '--kubeconfig', join(folder, 'none')], {}, fleet);
  const none = get('-n', 'nowhere');
  assert.deepEqual([none.code, none.out], [0, '']);
  assert.match(none.err, /^no Flux objects in the files or the cluster in the namespace nowhere$/m);
  const missing = get('ks', 'nobody');
  assert.deepEqual([missing.code, missing.out], [2, '']);
  assert.match(
    missing.err,
    /Kustomization\/nobody: there is no such workload or source.*\n {2}plumb get lists/,
  );
  assert.match(get('sources', 'git').err, /unexpected git: a name goes with a kind/);
  assert.match(get('alerts').err, /alerts are not listed/);
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

test('a Kustomization of a file is built without a cluster, with labels, substitution and masks', () => {
  const fluxFile = join(folder, 'flux.yaml');
  const apps = join(folder, 'offline');
  mkdirSync(apps, { recursive: true });
  writeFileSync(
    fluxFile,
    `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./offline
  targetNamespace: shop
  postBuild: {substitute: {host: example.org}}
`,
  );
  writeFileSync(
    join(apps, 'a.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {host: "\${host}", other: "\${other}"}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: "ENC[AES256_GCM,data:x]"}
sops: {mac: "ENC[AES256_GCM,data:y]"}
`,
  );
  const build = ['build', 'kustomization', 'apps', '-n', 'flux-system', '-f', fluxFile, '--dry-run'];
  const strict = plumb([...build, '--path', apps]);
  assert.deepEqual([strict.code, strict.out], [2, '']);
  assert.match(strict.err, /a\.yaml:4:\d+: .*variable not set \(strict mode\): "other"/);
  const lenient = plumb([...build, '--strict-substitute=false'], {}, folder);
  assert.equal(lenient.code, 0, lenient.err);
  assert.equal(
    lenient.out,
    `apiVersion: v1
data:
  host: example.org
  other: null
kind: ConfigMap
metadata:
  labels:
    kustomize.toolkit.fluxcd.io/name: apps
    kustomize.toolkit.fluxcd.io/namespace: flux-system
  name: a
  namespace: shop
---
apiVersion: v1
kind: Secret
metadata:
  labels:
    kustomize.toolkit.fluxcd.io/name: apps
    kustomize.toolkit.fluxcd.io/namespace: flux-system
  name: s
  namespace: shop
stringData:
  password: '**SOPS**'
---
`,
  );
  const explained = plumb([...build, '--path', apps, '--strict-substitute=false', '--explain']);
  assert.match(explained.out, /^ConfigMap\/shop\/a \/data\/host {2}a\.yaml:4$/m);
  assert.equal(plumb(['build', 'ks', 'other', '-f', fluxFile]).code, 2);
  assert.equal(plumb([...build, '--strict-substitute=maybe']).code, 64);
  const alone = plumb(['build', 'ks', 'apps', '--path', apps, '--dry-run']);
  assert.equal(alone.code, 64);
  assert.match(alone.err, /--dry-run goes with -f FILE/);
  writeFileSync(join(apps, '.sourceignore'), 'notes.yaml\nsecrets/\n');
  writeFileSync(join(apps, 'notes.yaml'), 'no: manifest\n');
  const ignoring = plumb([...build, '--path', apps, '--strict-substitute=false']);
  assert.deepEqual([ignoring.code, ignoring.out], [0, lenient.out], ignoring.err);
  writeFileSync(join(apps, 'kustomization.yaml'), 'resources: [a.yaml, notes.yaml, secrets]\n');
  mkdirSync(join(apps, 'secrets'));
  const listed = plumb([...build, '--path', apps, '--strict-substitute=false']);
  assert.deepEqual([listed.code, listed.out], [0, lenient.out], listed.err);
  writeFileSync(join(apps, '.sourceignore'), '*\n');
  const nothing = plumb([...build, '--path', apps]);
  assert.deepEqual([nothing.code, nothing.out], [0, ''], nothing.err);
});

test('remote bases are refused on demand, at the line that names them', () => {
  const remote = join(folder, 'remote');
  mkdirSync(remote, { recursive: true });
  writeFileSync(
    join(remote, 'kustomization.yaml'),
    'resources:\n  - https://127.0.0.1:1/fleet.git//apps?ref=v1\n',
  );
  const refused = plumb(['build', remote, '--no-remote-bases']);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /kustomization\.yaml:2:\d+: error: remote bases are not allowed/);
  const unreachable = plumb(['build', remote]);
  assert.equal(unreachable.code, 2);
  assert.match(unreachable.err, /kustomization\.yaml:2:\d+: error: cannot fetch https:\/\/127\.0\.0\.1:1/);
});

test('a folder that cannot be built is told with file and line, and exit code 2', () => {
  writeFileSync(join(folder, 'kustomization.yaml'), 'resources:\n  - gone.yaml\n');
  const run = plumb(['build', '.']);
  assert.deepEqual([run.code, run.out], [2, '']);
  assert.match(run.err, /kustomization\.yaml:2:\d+: error: .*gone\.yaml/);
  assert.equal(plumb(['build', 'nowhere']).code, 2);
});
