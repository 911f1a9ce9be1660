import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAuthority, issueClientCertificate, issueServerCertificate } from './certificates.ts';

test('an authority signs a server certificate for names and addresses', () => {
  const authority = createAuthority('sandbox');
  const { certificate } = issueServerCertificate(authority, 'apiserver', ['127.0.0.1', 'localhost']);
  const issuer = new X509Certificate(authority.certificate);
  const server = new X509Certificate(certificate);
  assert.equal(issuer.ca, true);
  assert.equal(issuer.checkIssued(issuer), true);
  assert.equal(server.ca, false);
  assert.equal(server.checkIssued(issuer), true);
  assert.equal(server.verify(issuer.publicKey), true);
  assert.equal(server.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(server.checkHost('localhost'), 'localhost');
  assert.equal(server.checkHost('example.org'), undefined);
});

test('a client certificate carries the user and its groups', () => {
  const authority = createAuthority('sandbox');
  const { certificate } = issueClientCertificate(authority, 'jane', ['dev', 'ops']);
  assert.equal(new X509Certificate(certificate).subject, 'O=dev\nO=ops\nCN=jane');
});

test('a TLS server with client certificates accepts its own authority and refuses another', async () => {
  const authority = createAuthority('sandbox');
  const { certificate, key } = issueServerCertificate(authority, 'server', ['127.0.0.1']);
  const server = createServer(
    { cert: certificate, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: true },
    (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
  );
  const refusals: Error[] = [];
  server.on('tlsClientError', (error) => refusals.push(error));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const greet = async (signer: typeof authority): Promise<string> => {
    const client = issueClientCertificate(signer, 'jane', []);
    const socket: TLSSocket = connect({
      port,
      host: '127.0.0.1',
      ca: authority.certificate,
      cert: client.certificate,
      key: client.key,
    });
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  };
  try {
    assert.equal(await greet(authority), 'jane');
    assert.deepEqual(refusals, []);
    // Under TLS 1.3 the client may see a closed stream or an alert; the server's word is what counts.
    const answer = await greet(createAuthority('sandbox')).catch(() => '');
    assert.equal(answer, '');
    assert.equal(refusals.length, 1);
  } finally {
    server.close();
  }
});
