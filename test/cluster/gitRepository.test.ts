import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reconcileGitRepository } from '../../src/controllers/source/gitRepository.ts';
import type { GitRepository, GitRepositorySpec } from '../../src/flux/api/source.gen.ts';
import { isReady } from '../../src/flux/conditions.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import { commitFiles } from '../servers/gitRepository.ts';
import { fluxCluster } from './fluxCluster.ts';

const flux = await fluxCluster();
const namespace = await flux.sandbox.freshNamespace('git');
const fleet = await flux.git.createRepository('fleet');

async function repository(name: string, spec: Partial<GitRepositorySpec> = {}): Promise<ObjectRef> {
  await flux.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name, namespace },
    spec: { interval: '1m', url: fleet.url, ref: { branch: 'main' }, ...spec },
  } as GitRepository);
  return { group: 'source.toolkit.fluxcd.io', version: 'v1', kind: 'GitRepository', namespace, name };
}

function read(ref: ObjectRef): Promise<GitRepository> {
  return flux.get<GitRepository>(ref);
}

function conditionTexts({ status }: GitRepository): readonly string[] {
  return (status?.conditions ?? []).map(
    ({ type, status: value, reason, message }) => `${type}=${value} ${reason}: ${message}`,
  );
}

test('a first fetch ends Ready with the artifact source-controller would name', async () => {
  const hash = await commitFiles(fleet.folder, {
    files: { 'apps/cm.yaml': 'kind: ConfigMap\n', 'logo.png': 'x', '.gitignore': 'y' },
    message: 'Add the first app\n\nBody',
  });
  const ref = await repository('fleet');
  const outcome = await reconcileGitRepository(flux.sources, ref);
  const object = await read(ref);
  const revision = `main@sha1:${hash}`;
  assert.equal(outcome.result, 'succeeded');
  assert.deepEqual(outcome.next, { type: 'after', delay: 60_000 });
  assert.deepEqual(conditionTexts(object), [
    `Ready=True Succeeded: stored artifact for revision '${revision}'`,
    `ArtifactInStorage=True Succeeded: stored artifact for revision '${revision}'`,
  ]);
  assert.deepEqual(object.metadata.finalizers, ['finalizers.fluxcd.io']);
  assert.equal(object.status?.observedGeneration, object.metadata.generation);
  assert.equal(object.status?.artifact?.revision, revision);
  assert.equal(
    object.status?.artifact?.url,
    `http://source-controller.flux-system.svc.cluster.local./gitrepository/${namespace}/fleet/${hash}.tar.gz`,
  );
  assert.deepEqual([...(flux.sources.artifacts.get(ref)?.files.paths() ?? [])], ['apps/cm.yaml']);
  const event = flux.events.at(-1);
  assert.equal(
    `${event?.severity} ${event?.reason} ${event?.message}`,
    "info NewArtifact stored artifact for commit 'Add the first app'",
  );
  const managers = (object.metadata['managedFields'] as { manager: string; subresource?: string }[]).map(
    ({ manager, subresource }) => `${manager} ${subresource ?? ''}`,
  );
  assert.ok(managers.includes('source-controller status'), managers.join());
});

test('an unchanged repository leaves the object as it is', async () => {
  const ref = await repository('quiet');
  await reconcileGitRepository(flux.sources, ref);
  const before = await read(ref);
  const outcome = await reconcileGitRepository(flux.sources, ref);
  assert.equal(outcome.result, 'succeeded');
  assert.equal((await read(ref)).metadata.resourceVersion, before.metadata.resourceVersion);
  assert.equal(flux.events.at(-1)?.severity, 'trace');
});

test('a new commit replaces the artifact, and an engine without its files only fetches them', async () => {
  const ref = await repository('moving');
  await reconcileGitRepository(flux.sources, ref);
  const hash = await commitFiles(fleet.folder, { files: { 'apps/cm.yaml': 'kind: Secret\n' } });
  await reconcileGitRepository(flux.sources, ref);
  const object = await read(ref);
  assert.equal(object.status?.artifact?.revision, `main@sha1:${hash}`);
  assert.equal(flux.sources.artifacts.get(ref)?.files.text('apps/cm.yaml'), 'kind: Secret\n');
  flux.sources.artifacts.delete(ref);
  await reconcileGitRepository(flux.sources, ref);
  assert.equal(flux.sources.artifacts.get(ref)?.revision, `main@sha1:${hash}`);
  assert.deepEqual((await read(ref)).status?.artifact, object.status?.artifact);
});

test('ignore rules, sparse checkout and includes shape the artifact and are observed', async () => {
  await commitFiles(fleet.folder, {
    files: { 'a/x.yaml': '1', 'a/y.txt': '2', 'b/z.yaml': '3' },
    branch: 'shapes',
  });
  const inner = await repository('inner', { ref: { branch: 'shapes' } });
  await reconcileGitRepository(flux.sources, inner);
  const ref = await repository('outer', {
    ref: { branch: 'shapes' },
    ignore: '*.txt\n',
    sparseCheckout: ['./a'],
    include: [{ repository: { name: 'inner' }, fromPath: 'b', toPath: 'inner' }],
  });
  await reconcileGitRepository(flux.sources, ref);
  assert.deepEqual([...(flux.sources.artifacts.get(ref)?.files.paths() ?? [])], ['a/x.yaml', 'inner/z.yaml']);
  const { status } = await read(ref);
  assert.equal(status?.observedIgnore, '*.txt\n');
  assert.deepEqual(status?.observedSparseCheckout, ['./a']);
  assert.equal(status?.includedArtifacts?.length, 1);
  const before = (await read(ref)).metadata.resourceVersion;
  await reconcileGitRepository(flux.sources, ref);
  assert.equal((await read(ref)).metadata.resourceVersion, before);
});

test('a missing include waits, a missing sparse folder and a missing branch fail', async () => {
  const waiting = await repository('lonely', { include: [{ repository: { name: 'nobody' } }] });
  assert.deepEqual((await reconcileGitRepository(flux.sources, waiting)).next, {
    type: 'after',
    delay: 30_000,
  });
  assert.match(conditionTexts(await read(waiting)).join('\n'), /IncludeUnavailable=True NotFound/);

  const sparse = await repository('sparse', { sparseCheckout: ['nowhere'] });
  await reconcileGitRepository(flux.sources, sparse);
  assert.match(conditionTexts(await read(sparse)).join('\n'), /sparse checkout dir 'nowhere' does not exist/);

  const branch = await repository('branch', { ref: { branch: 'nowhere' } });
  const outcome = await reconcileGitRepository(flux.sources, branch);
  assert.deepEqual(
    [outcome.result, outcome.next.type, outcome.errorKind],
    ['failed', 'backoff', 'transient'],
  );
  const texts = conditionTexts(await read(branch));
  assert.match(texts[0] ?? '', /^Reconciling=True ProgressingWithRetry: /);
  assert.match(
    texts[1] ?? '',
    /^Ready=False GitOperationFailed: failed to checkout and determine revision: /,
  );
  assert.match(texts[2] ?? '', /^FetchFailed=True GitOperationFailed: /);
  const event = flux.events.at(-1);
  assert.equal(`${event?.severity} ${event?.reason}`, 'error GitOperationFailed');
});

test('a failure ends with the next success, which says so', async () => {
  const ref = await repository('recovering', { ref: { branch: 'late' } });
  await reconcileGitRepository(flux.sources, ref);
  assert.equal(isReady((await read(ref)).status?.conditions ?? []), false);
  await commitFiles(fleet.folder, { files: { 'a.yaml': 'a' }, branch: 'late' });
  await reconcileGitRepository(flux.sources, ref);
  assert.deepEqual(
    (await read(ref)).status?.conditions?.map(({ type }) => type),
    ['Ready', 'ArtifactInStorage'],
  );
});

test('an empty repository says that it is empty', async () => {
  const { url } = await flux.git.createRepository('empty');
  const ref = await repository('empty', { url });
  await reconcileGitRepository(flux.sources, ref);
  assert.match(
    conditionTexts(await read(ref)).join('\n'),
    /FetchFailed=True EmptyGitRepository: git repository is empty/,
  );
});

test('the secret’s credentials are used, and a missing secret is named', async () => {
  const ref = await repository('secret', { secretRef: { name: 'git-auth' } });
  await reconcileGitRepository(flux.sources, ref);
  assert.match(
    conditionTexts(await read(ref)).join('\n'),
    new RegExp(`FetchFailed=True AuthenticationFailed: failed to get secret '${namespace}/git-auth'`),
  );
  await flux.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'git-auth', namespace },
    stringData: { username: 'flux', password: 'word' },
  });
  assert.equal((await reconcileGitRepository(flux.sources, ref)).result, 'succeeded');
});

test('what Plumb cannot do yet is refused, never passed over', async () => {
  const ref = await repository('verified', { verify: { mode: 'HEAD', secretRef: { name: 'keys' } } });
  const outcome = await reconcileGitRepository(flux.sources, ref);
  assert.deepEqual([outcome.errorKind, outcome.next.type], ['stalled', 'done']);
  assert.match(conditionTexts(await read(ref))[0] ?? '', /^Stalled=True VerificationError: spec\.verify/);
});

test('a suspended repository records the request and does nothing else', async () => {
  const ref = await repository('asleep', { suspend: true });
  const answer = await flux.client.patch(
    ref,
    { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } },
    { type: 'merge', fieldManager: 'test' },
  );
  assert.equal(answer.type, 'ok');
  assert.equal((await reconcileGitRepository(flux.sources, ref)).result, 'suspended');
  const { status } = await read(ref);
  assert.equal(status?.lastHandledReconcileAt, 'now');
  assert.equal(status?.artifact, undefined);
});

test('a deleted repository loses its finalizer and its files', async () => {
  const ref = await repository('leaving');
  await reconcileGitRepository(flux.sources, ref);
  await flux.client.delete(ref);
  assert.equal(await flux.exists(ref), true);
  assert.equal((await reconcileGitRepository(flux.sources, ref)).result, 'deleted');
  assert.equal(await flux.exists(ref), false);
  assert.equal(flux.sources.artifacts.get(ref), undefined);
  assert.equal((await reconcileGitRepository(flux.sources, ref)).result, 'gone');
});
