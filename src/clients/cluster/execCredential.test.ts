import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isPlumbError } from '../../base/plumbError.ts';
import { execCredentialRunner, type ExecConfig } from './execCredential.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-exec-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const apiVersion = 'client.authentication.k8s.io/v1';

/** A program in the kubeconfig's folder that notes each run. */
async function program(name: string, body: string): Promise<ExecConfig> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\necho run >> "${path}.runs"\n${body}\n`);
  await chmod(path, 0o700);
  return { apiVersion, command: `./${name}` };
}

async function runsOf(name: string): Promise<number> {
  return (await readFile(join(folder, `${name}.runs`), 'utf8')).trim().split('\n').length;
}

function credential(status: object): string {
  return `echo '${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}'`;
}

test('runs once for requests at the same moment and keeps the credential until it is refused', async () => {
  const config = await program('once', credential({ token: 'abc' }));
  const runner = execCredentialRunner(config, {}, folder);
  const [first, second] = await Promise.all([runner.current(), runner.current()]);
  assert.equal(first, second);
  assert.equal(first.token?.reveal(), 'abc');
  await runner.current();
  assert.equal(await runsOf('once'), 1);
  runner.forget(first);
  await runner.current();
  runner.forget(first);
  await runner.current();
  assert.equal(await runsOf('once'), 2);
});

test('runs again when the credential has expired', async () => {
  const config = await program(
    'old',
    credential({ token: 'abc', expirationTimestamp: '2001-01-01T00:00:00Z' }),
  );
  const runner = execCredentialRunner(config, {}, folder);
  await runner.current();
  await runner.current();
  assert.equal(await runsOf('old'), 2);
});

test('tells the program about the cluster when it asks for it', async () => {
  const config = await program(
    'info',
    `echo "$KUBERNETES_EXEC_INFO" > "$0.info"\n${credential({ token: 'a' })}`,
  );
  await execCredentialRunner(
    { ...config, provideClusterInfo: true },
    { server: 'https://x' },
    folder,
  ).current();
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'info.info'), 'utf8')), {
    apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: 'https://x' } },
  });
});

test('a failing program gives one clear error and no token', async () => {
  const cases: readonly (readonly [ExecConfig, RegExp])[] = [
    [await program('fails', 'echo "please log in" >&2; exit 3'), /fails: ended with 3: please log in/],
    [await program('talks', 'echo token-s3cret'), /printed something else than an ExecCredential/],
    [await program('empty', credential({})), /gave neither a token nor a certificate/],
    [{ apiVersion, command: 'plumb-no-such-program' }, /plumb-no-such-program: is not installed/],
    [
      { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' },
      /v1alpha1, which is not supported/,
    ],
    [{ apiVersion, command: 'x', interactiveMode: 'Always' }, /needs a terminal/],
  ];
  for (const [config, pattern] of cases)
    await assert.rejects(execCredentialRunner(config, {}, folder).current(), (error) => {
      assert.ok(isPlumbError(error, 'AuthenticationFailed'));
      assert.match(error.message, pattern);
      assert.doesNotMatch(error.message, /s3cret/);
      assert.ok(error.hint !== undefined);
      return true;
    });
});
