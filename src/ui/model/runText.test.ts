import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunView } from '../../protocol/views.ts';
import { runText, runWarning } from './runText.ts';

const ref = {
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name: 'apps',
};
const run: RunView = {
  ref,
  ready: true,
  reason: 'ReconciliationSucceeded',
  message: 'Applied revision: main@sha1:1a2b3c4d',
  changeSet: [
    { ref: { ...ref, name: 'a' }, action: 'configured' },
    { ref: { ...ref, name: 'b' }, action: 'unchanged' },
    { ref: { ...ref, name: 'c' }, action: 'skipped' },
  ],
  elapsedMs: 1234,
};
const name = 'Kustomization/flux-system/apps';

describe('the end of a run', () => {
  it('counts what changed', () =>
    assert.equal(runText(run), `${name}: ReconciliationSucceeded, 1 changed in 1.2 s`));

  it('tells why it failed', () =>
    assert.equal(
      runText({ ...run, ready: false, reason: 'BuildFailed', message: 'no such file' }),
      `${name}: BuildFailed: no such file`,
    ));

  it('says every warning, and nothing without one', () => {
    assert.equal(runWarning(run), undefined);
    assert.equal(runWarning({ ...run, warnings: [] }), undefined);
    assert.equal(
      runWarning({ ...run, warnings: ['decrypted with your own keys', 'db.yaml: the MAC does not match'] }),
      `${name}: ReconciliationSucceeded, 1 changed in 1.2 s, with 2 warnings: decrypted with your own keys; db.yaml: the MAC does not match`,
    );
  });
});
