import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childEnvironment, languageServerEnvironment } from './childEnvironment.ts';
import { restartDelayMs } from './restartPolicy.ts';

test('an engine is started again three times in five minutes, later each time', () => {
  const now = 1_000_000;
  const endsAgo = (...seconds: number[]): number[] => seconds.map((ago) => now - ago * 1000);
  assert.equal(restartDelayMs(endsAgo(0), now), 500);
  assert.equal(restartDelayMs(endsAgo(10, 0), now), 2000);
  assert.equal(restartDelayMs(endsAgo(20, 10, 0), now), 8000);
  assert.equal(restartDelayMs(endsAgo(30, 20, 10, 0), now), undefined);
  assert.equal(restartDelayMs(endsAgo(400, 350, 301, 0), now), 500);
});

test('a child inherits nothing that the editor set for itself', () => {
  const env = { PATH: '/bin', VSCODE_PID: '1', ELECTRON_NO_ASAR: '1', KUBECONFIG: '/k' };
  assert.deepEqual(childEnvironment(env), { PATH: '/bin', KUBECONFIG: '/k', ELECTRON_RUN_AS_NODE: '1' });
});

test('the language server is given no variable that could hold a token', () => {
  const env = { PATH: '/bin', KUBECONFIG: '/k', GITHUB_TOKEN: 't', HOME: '/h' };
  assert.deepEqual(languageServerEnvironment(env), { PATH: '/bin', ELECTRON_RUN_AS_NODE: '1' });
});
