import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureOlderApiServer, isOlderMinor } from '../../src/clients/sandbox/sandboxPrograms.ts';
import { testClientOn } from '../cluster/clientOnServer.ts';
import { fluxCluster } from '../cluster/fluxCluster.ts';
import { testReconcilingOn } from '../cluster/reconcilingOnServer.ts';
import { ownSandboxCluster, type SandboxCluster } from '../cluster/sandboxCluster.ts';

/** The tests on one minor of Kubernetes: the sandbox showing it or, where it reaches back no further, a real API server of it. */
export async function testKubernetes(minor: string): Promise<void> {
  const sandbox = await clusterOf(minor);
  const flux = await fluxCluster(sandbox);
  // First what waits: hooks run as soon as no registered test is left.
  await testClientOn(sandbox);

  test(`the API is that of Kubernetes ${minor}`, async () => {
    const { body } = await sandbox.request('GET', '/version');
    const { major, minor: own, emulationMajor = major, emulationMinor = own } = body;
    assert.equal(`${String(emulationMajor)}.${String(emulationMinor)}`, minor);
  });
  testReconcilingOn(flux);
}

async function clusterOf(minor: string): Promise<SandboxCluster> {
  if (!isOlderMinor(minor)) return ownSandboxCluster({ emulate: minor });
  const onProgress = (message: string): void => void process.stderr.write(`${message}\n`);
  return ownSandboxCluster({ programs: await ensureOlderApiServer(minor, { onProgress }) });
}
