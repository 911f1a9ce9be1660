import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  CompletionRequest,
  createProtocolConnection,
  DefinitionRequest,
  DidChangeTextDocumentNotification,
  DidChangeWatchedFilesNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  IPCMessageReader,
  IPCMessageWriter,
  PublishDiagnosticsNotification,
  RegistrationRequest,
  ShutdownRequest,
  type CompletionItem,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
} from 'vscode-languageserver/node';

const bundle = resolve(import.meta.dirname, '../../dist/languageServer.mjs');

const source = `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: fleet
  namespace: flux-system
spec:
  interval: 1m
  url: https://example.com/fleet.git
`;
const apps = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 1m
  prune: true
  sourceRef:
    kind: GitRepository
    name: fleet
`;

let folder: string;
let child: ChildProcess;
let connection: ProtocolConnection;
let published: PublishDiagnosticsParams[];
let wake: () => void = () => undefined;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumb language server '));
  write('source.yaml', source);
  write('apps.yaml', apps);
  write('broken/kustomization.yaml', 'resources:\n  - nowhere.yaml\n');
  // As the editor starts it: an explicit, minimal environment and no arguments of the host.
  child = fork(bundle, [], { execArgv: [], env: {}, silent: true });
  connection = createProtocolConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  published = [];
  connection.onNotification(PublishDiagnosticsNotification.type, (params) => {
    published.push(params);
    wake();
  });
  connection.onRequest(RegistrationRequest.type, () => undefined);
  connection.listen();
  const { capabilities } = await connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'fleet' }],
  });
  assert.equal(capabilities.hoverProvider, true);
  await connection.sendNotification(InitializedNotification.type, {});
});

after(async () => {
  await connection.sendRequest(ShutdownRequest.type);
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  await connection.sendNotification(ExitNotification.type);
  assert.equal(await exited, 0);
  connection.dispose();
  rmSync(folder, { recursive: true });
});

test('publishes what is wrong in the folder after reading it', async () => {
  const { diagnostics } = await publishedFor('broken/kustomization.yaml', (items) => items.length === 1);
  assert.equal(diagnostics[0]?.code, 'missing-resource');
  assert.match(diagnostics[0].codeDescription?.href ?? '', /docs\/diagnostics\/missing-resource\.md$/);
  assert.deepEqual(diagnostics[0].range.start, { line: 1, character: 4 });
});

test('follows edits with their version, and the disk again after closing', async () => {
  const uri = uriOf('apps.yaml');
  await connection.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: 'yaml', version: 1, text: apps },
  });
  const line = apps.split('\n').indexOf('    name: fleet');
  await connection.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 2 },
    contentChanges: [
      { range: { start: { line, character: 10 }, end: { line, character: 15 } }, text: 'fleat' },
    ],
  });
  const edited = await publishedFor('apps.yaml', (items) => items.length === 1);
  assert.equal(edited.version, 2);
  assert.equal(edited.diagnostics[0]?.code, 'missing-source');
  assert.match(JSON.stringify(edited.diagnostics[0]?.message), /did you mean fleet\?/);
  await connection.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } });
  const closed = await publishedFor('apps.yaml', (items) => items.length === 0);
  assert.equal(closed.version, undefined);
});

test('answers completion, hover and definition', async () => {
  const textDocument = { uri: uriOf('apps.yaml') };
  const line = apps.split('\n').indexOf('    name: fleet');
  const items = (await connection.sendRequest(CompletionRequest.type, {
    textDocument,
    position: { line, character: 10 },
  })) as CompletionItem[];
  assert.deepEqual(
    items.map(({ label }) => label),
    ['fleet'],
  );
  const hover = await connection.sendRequest(HoverRequest.type, {
    textDocument,
    position: { line: 7, character: 4 },
  });
  assert.match(JSON.stringify(hover?.contents), /spec\.prune/);
  const definition = await connection.sendRequest(DefinitionRequest.type, {
    textDocument,
    position: { line, character: 12 },
  });
  assert.deepEqual(definition, [
    {
      uri: uriOf('source.yaml'),
      range: { start: { line: 3, character: 8 }, end: { line: 3, character: 13 } },
    },
  ]);
});

test('follows files that are renamed on disk', async () => {
  renameSync(join(folder, 'source.yaml'), join(folder, 'elsewhere.txt'));
  await changed('source.yaml', 'elsewhere.txt');
  const missing = await publishedFor('apps.yaml', (items) => items.length === 1);
  assert.equal(missing.diagnostics[0]?.code, 'missing-source');
  write('new/source.yaml', source);
  await changed('new');
  await publishedFor('apps.yaml', (items) => items.length === 0);
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function uriOf(path: string): string {
  return pathToFileURL(join(folder, path)).href;
}

async function changed(...paths: string[]): Promise<void> {
  const changes = paths.map((path) => ({ uri: uriOf(path), type: 2 as const }));
  await connection.sendNotification(DidChangeWatchedFilesNotification.type, { changes });
}

/** Waits for diagnostics of a file that pass, and forgets all that came until then. */
async function publishedFor(
  path: string,
  passes: (items: PublishDiagnosticsParams['diagnostics']) => boolean,
): Promise<PublishDiagnosticsParams> {
  for (;;) {
    const found = published.find(({ uri, diagnostics }) => uri === uriOf(path) && passes(diagnostics));
    if (found !== undefined) {
      published = [];
      return found;
    }
    await new Promise<void>((done) => (wake = done));
  }
}
