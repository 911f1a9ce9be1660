import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childEnvironment, languageServerEnvironment, withProxySettings } from './childEnvironment.ts';
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

test('the proxy of the editor’s settings is that of the engine and its programs', () => {
  const env = { PATH: '/bin', HTTPS_PROXY: 'http://environment:1', no_proxy: 'inner' };
  const settings = { proxy: 'http://settings:1', noProxy: ['.corp', '10.0.0.0/8'], support: 'override' };
  assert.deepEqual(withProxySettings(env, settings), {
    PATH: '/bin',
    HTTPS_PROXY: 'http://settings:1',
    https_proxy: 'http://settings:1',
    HTTP_PROXY: 'http://settings:1',
    http_proxy: 'http://settings:1',
    NO_PROXY: '.corp,10.0.0.0/8',
    no_proxy: '.corp,10.0.0.0/8',
  });
  assert.equal(withProxySettings(env, { ...settings, noProxy: [] })['no_proxy'], 'inner');
  assert.equal(withProxySettings(env, { ...settings, support: 'off' }), env);
  assert.equal(withProxySettings(env, { ...settings, proxy: '' }), env);
});
