import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { apiRequest } from '../../src/clients/sandbox/apiRequest.ts';
import { administratorAccess, sandboxFolder } from '../../src/clients/sandbox/sandboxFolder.ts';
import { ensureSandboxPrograms, missingComponents } from '../../src/clients/sandbox/sandboxPrograms.ts';
import { startSandbox, waitForExit } from '../../src/clients/sandbox/startSandbox.ts';

const noGo = { PLUMB_GO: '/no/such/go' };
/** A package index that nobody serves: neither fetch nor pip gets a toolchain from it. */
const noIndex = { PIP_INDEX_URL: 'http://127.0.0.1:1/simple', PIP_FIND_LINKS: '' };

test('without Go an earlier build of the same sources serves', async () => {
  const built = await ensureSandboxPrograms();
  assert.deepEqual(await withEnvironment(noGo, ensureSandboxPrograms), built);
  assert.deepEqual(missingComponents(built), []);
});

test('without Go and build, KUBEBUILDER_ASSETS gives an API server that lacks controllers, and outlives nobody', async () => {
  const built = await ensureSandboxPrograms();
  const folder = await mkdtemp(join(tmpdir(), 'plumb-assets-'));
  try {
    // The folder of setup-envtest holds programs of these names; here they hand over to the same upstream code.
    for (const [file, program] of [
      ['etcd', built.etcd],
      ['kube-apiserver', built.apiserver],
    ] as const)
      // Ours end with their standard input, upstream's do not: this pipe never ends.
      await writeFile(
        join(folder, file),
        `#!/bin/sh\nmkfifo ${file}.in\nexec '${(program ?? []).join("' '")}' "$@" 0<>${file}.in\n`,
        { mode: 0o755 },
      );
    const environment = {
      ...noGo,
      ...noIndex,
      XDG_CACHE_HOME: join(folder, 'cache'),
      KUBEBUILDER_ASSETS: folder,
    };
    const programs = await withEnvironment(environment, ensureSandboxPrograms);
    assert.deepEqual(missingComponents(programs), ['controller-manager', 'scheduler', 'kwok']);
    const sandbox = await startSandbox({ programs });
    try {
      const access = await administratorAccess(sandboxFolder(sandbox.folder), sandbox.server);
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps' } };
      assert.equal((await apiRequest(access, 'POST', '/api/v1/namespaces', namespace)).status, 201);
      const running = await processesOf(sandbox.folder);
      assert.ok(running.length >= 3, running.join('\n'));
      process.kill(sandbox.state.pid, 'SIGKILL');
      for (const line of running) assert.equal(await waitForExit(Number.parseInt(line)), true, line);
    } finally {
      await sandbox.stop();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('without any of them one message says what was tried and what to do', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'plumb-cache-'));
  try {
    const environment = { ...noGo, ...noIndex, XDG_CACHE_HOME: cache, KUBEBUILDER_ASSETS: '' };
    await assert.rejects(withEnvironment(environment, ensureSandboxPrograms), {
      code: 'SandboxFailed',
      message:
        /^building sandbox needs Go 1\.26 or newer \(found: none\): Go 1\.26\.\d+ could not be fetched: fetch: .+; pip: /,
      hint: /install Go 1\.26 .*KUBEBUILDER_ASSETS/,
    });
  } finally {
    await rm(cache, { recursive: true });
  }
});

/** `pid command` of every process that works on the folder. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-A', '-o', 'pid=,command=']);
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes(folder));
}

/** Runs the work with these variables and puts the old ones back. */
async function withEnvironment<T>(
  variables: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
