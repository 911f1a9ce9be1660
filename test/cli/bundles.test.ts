import assert from 'node:assert/strict';
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  DidOpenTextDocumentNotification,
  ExitNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  IPCMessageReader,
  IPCMessageWriter,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
  RegistrationRequest,
  ShutdownRequest,
} from 'vscode-languageserver/node';
import { ipcConnection, remoteEngine } from '../../src/protocol/rpc.ts';
import { olderNode } from '../tools/olderNode.ts';
import { bundle, fleet } from './plumbProcess.ts';

const dist = resolve(import.meta.dirname, '../../dist');
const chunks = readdirSync(join(dist, 'chunks')).filter((name) => name.endsWith('.mjs'));
const folder = mkdtempSync(join(tmpdir(), 'plumb-bundles-'));
after(() => rmSync(folder, { recursive: true }));

const programs = [
  { name: 'Node 22, as the oldest supported editor has it', program: olderNode(), major: '22' },
  { name: 'Node 24', program: process.execPath, major: '24' },
] as const;

function run(program: string, ...args: readonly string[]) {
  return spawnSync(program, args, {
    cwd: fleet,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder },
  });
}

/** Every file that a bundle reaches by imports, lazy ones included. */
function reachable(entry: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(path, 'utf8');
    for (const [, name = ''] of text.matchAll(
      /(?:\bfrom |\bimport |\bimport\()["'](\.{1,2}\/[\w./-]+\.mjs)["']/g,
    ))
      visit(resolve(path, '..', name));
  };
  visit(join(dist, entry));
  return seen;
}

test('openpgp stands beside the bundles as it was published, with its licences', () => {
  const packages = resolve(import.meta.dirname, '../../node_modules');
  const [copy, published] = [join(dist, 'node_modules/openpgp'), join(packages, 'openpgp')];
  assert.deepEqual(
    readFileSync(join(copy, 'openpgp.min.mjs')),
    readFileSync(join(published, 'dist/node/openpgp.min.mjs')),
  );
  assert.match(readFileSync(join(copy, 'LGPL-3.0.txt'), 'utf8'), /GNU LESSER GENERAL PUBLIC LICENSE/);
  assert.match(readFileSync(join(copy, 'GPL-3.0.txt'), 'utf8'), /GNU GENERAL PUBLIC LICENSE\s+Version 3/);
});

test('every bundled package has its licence text beside the bundles', () => {
  const text = readFileSync(join(dist, 'THIRD-PARTY.txt'), 'utf8');
  for (const name of ['@kubernetes/client-node', 'simple-git', 'yaml', 'vscode-languageclient'])
    assert.match(text, new RegExp(`^${name} \\d`, 'm'));
  assert.doesNotMatch(text, /no licence text of its own/);
});

test('every chunk belongs to a bundle', () => {
  const reached = new Set(
    ['cli.mjs', 'engine.mjs', 'languageServer.mjs'].flatMap((entry) => [...reachable(entry)]),
  );
  assert.deepEqual(
    chunks.filter((name) => !reached.has(join(dist, 'chunks', name))),
    [],
  );
});

for (const { name, program, major } of programs) {
  test(`${name} runs the command line`, () => {
    assert.match(run(program, '--version').stdout, new RegExp(`^v${major}\\.`));
    const version = run(program, bundle, 'version', '-o', 'json');
    assert.match((JSON.parse(version.stdout) as { node: string }).node, new RegExp(`^${major}\\.`));
    const list = run(program, bundle, 'get', 'workloads', '--kubeconfig', join(folder, 'none'));
    assert.equal(list.status, 0, list.stderr);
    assert.match(list.stdout, /Kustomization +flux-system +apps/);
    const built = run(program, bundle, 'build', join(fleet, 'apps/dev'));
    assert.equal(built.status, 0, built.stderr);
    assert.equal(built.stdout.split('\n---\n').length, 8);
    const checked = run(program, bundle, 'validate');
    assert.equal(checked.status, 0, checked.stdout);
  });

  test(`${name} loads every chunk`, () => {
    assert.notEqual(chunks.length, 0);
    const files = [...chunks.map((chunk) => `chunks/${chunk}`), 'node_modules/openpgp/openpgp.min.mjs'];
    const urls = files.map((file) => pathToFileURL(join(dist, file)).href);
    const script = `for (const url of ${JSON.stringify(urls)}) await import(url); console.log('loaded', ${files.length});`;
    const loaded = run(program, '--input-type=module', '-e', script);
    assert.equal(loaded.stderr, '');
    assert.equal(loaded.stdout, `loaded ${files.length}\n`);
  });

  test(`${name} runs the engine, which answers and ends with its channel`, async () => {
    const child = fork(join(dist, 'engine.mjs'), [], {
      execPath: program,
      execArgv: [],
      env: { PATH: process.env['PATH'], HOME: folder },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const exited = once(child, 'exit');
    const engine = remoteEngine(ipcConnection(child));
    await engine.start({ folders: [fleet], kubeconfig: [join(folder, 'none')], schedule: 'onRequest' });
    const { workloads } = await engine.tree();
    assert.deepEqual(workloads.map(({ ref }) => ref.name).sort(), ['apps', 'flux-system', 'infra']);
    child.disconnect();
    assert.deepEqual(await exited, [0, null]);
  });

  test(`${name} runs the language server, which answers, publishes and ends when told to`, async (t) => {
    const workspace = mkdtempSync(join(folder, 'workspace-'));
    const file = join(workspace, 'apps.yaml');
    const text =
      'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\nspec:\n  prune: yes please\n';
    writeFileSync(file, text);
    const uri = pathToFileURL(file).href;
    const child = fork(join(dist, 'languageServer.mjs'), [], {
      execPath: program,
      execArgv: [],
      env: {},
      silent: true,
    });
    const exited = once(child, 'exit');
    // A test that fails must not wait for it for ever.
    t.after(() => child.kill('SIGKILL'));
    const connection = createProtocolConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
    const published = new Promise<PublishDiagnosticsParams>((done) =>
      connection.onNotification(PublishDiagnosticsNotification.type, (params) => {
        // Without a version where the file was read before it was opened with the same text.
        if (params.uri === uri) done(params);
      }),
    );
    connection.onRequest(RegistrationRequest.type, () => undefined);
    connection.listen();
    await connection.sendRequest(InitializeRequest.type, {
      processId: process.pid,
      rootUri: null,
      capabilities: {},
      workspaceFolders: [{ uri: pathToFileURL(workspace).href, name: 'workspace' }],
    });
    await connection.sendNotification(InitializedNotification.type, {});
    await connection.sendNotification(DidOpenTextDocumentNotification.type, {
      textDocument: { uri, languageId: 'yaml', version: 1, text },
    });
    const hover = await connection.sendRequest(HoverRequest.type, {
      textDocument: { uri },
      position: { line: 5, character: 4 },
    });
    assert.match(JSON.stringify(hover?.contents), /spec\.prune/);
    const { diagnostics } = await published;
    assert.ok(
      diagnostics.some(({ code }) => code === 'wrong-type'),
      JSON.stringify(diagnostics),
    );
    await connection.sendRequest(ShutdownRequest.type);
    await connection.sendNotification(ExitNotification.type);
    assert.deepEqual(await exited, [0, null]);
    connection.dispose();
  });

  test(`${name} loads the bundles of the extension host`, () => {
    // What only the editor has, `vscode`, is stood in for by an object that gives itself for everything.
    const script = `
      const { Module } = require('node:module');
      const anything = new Proxy(function () {}, { get: (_, key) => (key === Symbol.toPrimitive ? () => '' : anything), apply: () => anything, getPrototypeOf: () => anything });
      const load = Module._load;
      Module._load = (name, ...rest) => (name === 'vscode' ? anything : load(name, ...rest));
      for (const path of ${JSON.stringify(['extension.cjs', 'rpc.cjs', 'languageClient.cjs'].map((file) => join(dist, file)))})
        console.log(Object.keys(require(path)).length > 0);`;
    const loaded = run(program, '-e', script);
    assert.equal(loaded.stderr, '');
    assert.equal(loaded.stdout, 'true\ntrue\ntrue\n', basename(program));
  });
}
