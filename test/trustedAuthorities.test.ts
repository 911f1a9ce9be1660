import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { createAuthority } from '../src/clients/sandbox/certificates.ts';

test('authorities of Node, of NODE_EXTRA_CA_CERTS and of the system are trusted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-authorities-'));
  try {
    const [extra, system] = ['extra', 'system'].map((name) => {
      const path = join(folder, name);
      const { certificate } = createAuthority(name);
      writeFileSync(path, certificate);
      return { path, certificate };
    });
    const module = join(import.meta.dirname, '..', 'src', 'clients', 'http', 'trustedAuthorities.ts');
    const program = `import(${JSON.stringify(module)}).then((m) => console.log(JSON.stringify(m.trustedAuthorities())))`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
      encoding: 'utf8',
      // Each is read once, when the process starts.
      env: { ...process.env, NODE_EXTRA_CA_CERTS: extra?.path, SSL_CERT_FILE: system?.path },
    });
    assert.notEqual(stdout, '', stderr);
    const trusted = (JSON.parse(stdout) as string[]).map((pem) => pem.trim());
    assert.ok(trusted.includes(rootCertificates[0]?.trim() ?? ''));
    assert.ok(trusted.includes(extra?.certificate.trim() ?? ''));
    // Where the store is a keychain there is no such variable.
    if (process.platform === 'linux') assert.ok(trusted.includes(system?.certificate.trim() ?? ''));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
