import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256Hex } from '../../base/digest.ts';
import { fetchWheel, indexUrlIn, linkIn } from './pipIndex.ts';

const fileName = 'tool-1.0-py3-none-any.whl';

test('index-url counts in the sections that pip download reads', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['[global]\nindex-url = https://example.org/simple\n', 'https://example.org/simple'],
    ['[install]\r\nindex_url: https://example.org/a\r\n', 'https://example.org/a'],
    ['[list]\nindex-url = https://example.org/simple\n', undefined],
    ['[global]\nextra-index-url = https://example.org/simple\n', undefined],
    ['', undefined],
  ];
  for (const [configuration, expected] of cases)
    assert.equal(indexUrlIn(configuration), expected, configuration);
});

test('a file is found on JSON and HTML pages', () => {
  const json = JSON.stringify({
    files: [
      { filename: 'other.whl', url: 'a' },
      { filename: fileName, url: `x/${fileName}` },
    ],
  });
  assert.equal(linkIn(json, 'application/vnd.pypi.simple.v1+json', fileName), `x/${fileName}`);
  const html = `<a href="../x/other.whl#sha256=1">other</a> <a class="w" href="../x/${fileName}#sha256=2">tool</a>`;
  assert.equal(linkIn(html, 'text/html', fileName), `../x/${fileName}`);
  assert.equal(linkIn('<html></html>', 'text/html', fileName), undefined);
});

test('a wheel comes from the index of pip, and one with another digest is refused', async () => {
  const content = Buffer.from('a wheel');
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    if (request.url === '/simple/tool/') response.setHeader('content-type', 'text/html');
    response.end(
      request.url === '/simple/tool/' ? `<a href="../../files/${fileName}#sha256=0">x</a>` : content,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), 'plumb-wheel-'));
  const before = process.env['PIP_INDEX_URL'];
  process.env['PIP_INDEX_URL'] = `http://jane:s%40cret@127.0.0.1:${port}/simple`;
  try {
    const wheel = { project: 'tool', fileName, sha256: sha256Hex(content) };
    assert.deepEqual(await fetchWheel(wheel, folder, undefined), content);
    const expected = `Basic ${Buffer.from('jane:s@cret').toString('base64')}`;
    assert.deepEqual(seen, [expected, expected]);
    await assert.rejects(
      fetchWheel({ ...wheel, sha256: sha256Hex('another') }, folder, undefined),
      /^Error: tool-1\.0-py3-none-any\.whl has another digest than the pinned one$/,
    );
  } finally {
    if (before === undefined) delete process.env['PIP_INDEX_URL'];
    else process.env['PIP_INDEX_URL'] = before;
    server.close();
    await rm(folder, { recursive: true });
  }
});
