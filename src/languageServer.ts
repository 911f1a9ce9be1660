import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as lsp from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { createLanguageSession } from './language/languageSession.ts';
import { capabilities, createLspRequests } from './language/lspRequests.ts';

const connection = lsp.createConnection(new lsp.IPCMessageReader(process), new lsp.IPCMessageWriter(process));
const absent = (): undefined => undefined;
const session = createLanguageSession({
  disk: {
    join,
    sizeOf: (path) => stat(path).then(({ size }) => size, absent),
    readText: (path) => readFile(path, 'utf8').catch(absent),
    async readFolder(path) {
      const entries = await readdir(path, { withFileTypes: true }).catch(absent);
      return entries?.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
    },
  },
  pathOf: (uri) => (uri.startsWith('file:') ? fileURLToPath(uri) : undefined),
  uriOf: (path) => pathToFileURL(path).href,
  publish: (published) => void connection.sendDiagnostics({ ...published }),
  later(run, delayMs) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  now: () => performance.now(),
});

connection.onInitialize(({ workspaceFolders }) => {
  for (const { uri } of workspaceFolders ?? []) void session.addFolder(uri);
  return { capabilities };
});
connection.onInitialized(() => {
  const watchers = [{ globPattern: '**/*' }];
  void connection.client.register(lsp.DidChangeWatchedFilesNotification.type, { watchers });
  connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
    for (const { uri } of removed) session.removeFolder(uri);
    for (const { uri } of added) void session.addFolder(uri);
  });
});
connection.onDidChangeWatchedFiles(({ changes }) => void session.filesChanged(changes.map(({ uri }) => uri)));
const documents = new lsp.TextDocuments(TextDocument);
documents.onDidChangeContent(({ document }) =>
  session.documentChanged(document.uri, document.version, document.getText()),
);
documents.onDidClose(({ document }) => void session.documentClosed(document.uri));
const requests = createLspRequests(session);
connection.onCompletion(requests.completion);
connection.onHover(requests.hover);
connection.onDefinition(requests.definition);
connection.onDocumentLinks(requests.documentLink);
connection.onCodeAction(requests.codeAction);
documents.listen(connection);
connection.listen();
