import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentProxy, type Environment } from './environmentProxy.ts';

/** The proxy and the variable that names it, or `direct`. */
function check(address: string, env: Environment, expected: string): void {
  const choice = environmentProxy(new URL(address), env);
  assert.equal(choice === undefined ? 'direct' : `${choice.url.href} ${choice.from}`, expected, address);
}

test('the variable follows the scheme of the address, upper case first', () => {
  const env = { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:1', http_proxy: 'socks5://c:1' };
  check('https://cluster.example.com', env, 'http://a:1/ HTTPS_PROXY');
  check('http://cluster.example.com', env, 'socks5://c:1 http_proxy');
  check('https://cluster.example.com', { HTTP_PROXY: 'http://a:1', HTTPS_PROXY: '' }, 'direct');
  check(
    'https://cluster.example.com',
    { https_proxy: 'proxy.corp:3128' },
    'http://proxy.corp:3128/ https_proxy',
  );
});

test('an address that is no proxy is named with its variable', () => {
  for (const value of ['ftp://a:1', 'http://', 'socks4://a:1'])
    assert.throws(
      () => environmentProxy(new URL('https://x.example'), { HTTPS_PROXY: value }),
      /^Error: HTTPS_PROXY is no address of an http, https or socks5 proxy$/,
    );
});

test('localhost is never proxied, and NO_PROXY exempts as it does for Go programs', () => {
  for (const host of ['localhost', '127.0.0.1:6443', '127.3.2.1', '[::1]:6443'])
    check(`https://${host}`, { HTTPS_PROXY: 'http://a:1' }, 'direct');
  const exempt: Readonly<Record<string, string>> = {
    '*': 'https://anything.example.com',
    'example.com': 'https://api.example.com',
    'other.org , Example.com': 'https://example.com',
    '.example.com': 'https://api.example.com',
    '*.example.com': 'https://api.example.com',
    'api.example.com:6443': 'https://api.example.com:6443',
    'example.com:443': 'https://example.com',
    '10.0.0.0/8': 'https://10.20.30.40:6443',
    '10.1.2.3': 'https://10.1.2.3',
    '10.1.2.3:6443': 'https://10.1.2.3:6443',
    'fd00::/8': 'https://[fd00::17]:6443',
    '[fd00::17]:6443': 'https://[fd00::17]:6443',
    'fd00::17': 'https://[fd00::17]',
  };
  const proxied: Readonly<Record<string, string>> = {
    '': 'https://example.com',
    'ample.com': 'https://example.com',
    '.example.com': 'https://example.com',
    '*.example.com': 'https://example.com',
    'example.com:443': 'https://example.com:6443',
    '10.1.2.3:443': 'https://10.1.2.3:6443',
    '11.0.0.0/8': 'https://10.20.30.40',
    '10.0.0.0/99': 'https://10.20.30.40',
    'fd01::/16': 'https://[fd00::17]',
    ',': 'https://example.com',
  };
  for (const [NO_PROXY, address] of Object.entries(exempt))
    check(address, { HTTPS_PROXY: 'http://a:1', NO_PROXY }, 'direct');
  for (const [no_proxy, address] of Object.entries(proxied))
    check(address, { HTTPS_PROXY: 'http://a:1', no_proxy }, 'http://a:1/ HTTPS_PROXY');
});
