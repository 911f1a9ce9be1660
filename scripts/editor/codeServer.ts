import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EditorTools } from './editorTools.ts';

export interface CodeServerOptions {
  readonly tools: EditorTools;
  /** The folder to open. */
  readonly workspace: string;
  /** A .vsix, or the repository's folder with a built dist/. */
  readonly extension?: string;
  /** User settings on top of those that make runs repeatable. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** A free one when absent. */
  readonly port?: number;
  /** A random one when absent: the page gives a terminal, so there always is one. */
  readonly password?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** False for tests of untrusted workspaces; every folder is trusted otherwise. */
  readonly workspaceTrust?: boolean;
}

export interface CodeServer {
  /** The page with the workspace open; asks for the password. */
  readonly url: string;
  readonly password: string;
  /** User data, extensions, HOME and logs; gone after `stop`. */
  readonly stateFolder: string;
  /** Ends every process it started and removes the state. */
  stop(): Promise<void>;
}

const quietSettings = {
  'chat.disableAIFeatures': true,
  'editor.accessibilitySupport': 'off',
  'editor.fontFamily': 'DejaVu Sans Mono',
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'files.autoSave': 'off',
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.startupPrompt': 'never',
  'telemetry.telemetryLevel': 'off',
  'terminal.integrated.fontFamily': 'DejaVu Sans Mono',
  'update.mode': 'none',
  'window.menuBarVisibility': 'compact',
  'workbench.colorTheme': 'Dark Modern',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
};

/**
 * Starts VS Code for the browser on loopback with a home of its own and waits until it answers.
 * Ends with the process that started it, even when that is killed.
 */
export async function startCodeServer(options: CodeServerOptions): Promise<CodeServer> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'plumb-editor-'));
  const password = options.password ?? randomBytes(12).toString('base64url');
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child !== undefined) await endGroup(child);
    await rm(stateFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    await prepareState(stateFolder, options);
    child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, 'guard.mjs'),
        process.execPath,
        options.tools.codeServerEntry,
        ...serverArguments(stateFolder, options),
        options.workspace,
      ],
      {
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
        env: serverEnvironment(stateFolder, options, { PASSWORD: password }),
      },
    );
    const address = await listeningAddress(child);
    return { url: `${address}?folder=${encodeURIComponent(options.workspace)}`, password, stateFolder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function serverArguments(stateFolder: string, options: CodeServerOptions): string[] {
  return [
    ...['--bind-addr', `127.0.0.1:${options.port ?? 0}`],
    ...['--auth', 'password'],
    ...['--config', join(stateFolder, 'config.yaml')],
    ...folderArguments(stateFolder),
    '--disable-telemetry',
    '--disable-update-check',
    '--ignore-last-opened',
    ...(options.workspaceTrust === true ? [] : ['--disable-workspace-trust']),
  ];
}

function folderArguments(stateFolder: string): string[] {
  return [
    ...['--user-data-dir', join(stateFolder, 'data')],
    ...['--extensions-dir', join(stateFolder, 'extensions')],
  ];
}

function serverEnvironment(
  stateFolder: string,
  options: CodeServerOptions,
  extra: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  const { PATH, LANG, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = process.env;
  return {
    PATH,
    LANG: LANG ?? 'C.UTF-8',
    ...(SSL_CERT_FILE !== undefined && { SSL_CERT_FILE }),
    ...(NODE_EXTRA_CA_CERTS !== undefined && { NODE_EXTRA_CA_CERTS }),
    HOME: join(stateFolder, 'home'),
    TMPDIR: join(stateFolder, 'tmp'),
    XDG_CONFIG_HOME: join(stateFolder, 'home/.config'),
    XDG_DATA_HOME: join(stateFolder, 'home/.local/share'),
    XDG_CACHE_HOME: join(stateFolder, 'home/.cache'),
    ...options.env,
    ...extra,
  };
}

async function prepareState(stateFolder: string, options: CodeServerOptions): Promise<void> {
  for (const folder of ['home', 'tmp', 'extensions', 'data/User'])
    await mkdir(join(stateFolder, folder), { recursive: true });
  await writeFile(join(stateFolder, 'config.yaml'), 'auth: password\ncert: false\n', { mode: 0o600 });
  const settings = { ...quietSettings, ...options.settings };
  await writeFile(join(stateFolder, 'data/User/settings.json'), JSON.stringify(settings, null, 2));
  if (options.extension === undefined) return;
  if (options.extension.endsWith('.vsix')) await installVsix(stateFolder, options, options.extension);
  else await copyExtension(options.extension, join(stateFolder, 'extensions'));
}

async function installVsix(stateFolder: string, options: CodeServerOptions, vsix: string): Promise<void> {
  const child = spawn(
    process.execPath,
    [options.tools.codeServerEntry, ...folderArguments(stateFolder), '--install-extension', vsix],
    { stdio: ['ignore', 'pipe', 'pipe'], env: serverEnvironment(stateFolder, options, {}) },
  );
  const output = await new Promise<{ readonly code: number | null; readonly text: string }>((done, fail) => {
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', fail);
    child.on('close', (code) => done({ code, text }));
  });
  if (output.code !== 0) throw new Error(`installing ${vsix} failed: ${output.text.trim()}`);
}

/** What a .vsix would hold, straight from the repository: an extensions folder without a list is scanned at start. */
async function copyExtension(repository: string, extensions: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
    publisher: string;
    name: string;
    version: string;
  };
  const target = join(extensions, `${manifest.publisher}.${manifest.name}-${manifest.version}`);
  await mkdir(target);
  for (const part of ['package.json', 'dist', 'media', 'syntaxes', 'README.md', 'CHANGELOG.md'])
    await cp(join(repository, part), join(target, part), { recursive: true, force: true }).catch(
      ignoreMissing,
    );
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** The address it says it listens on; the port is its own choice when none was given. */
function listeningAddress(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let output = '';
    const timer = setTimeout(() => fail(new Error(`code-server did not start in 3 min: ${output}`)), 180_000);
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8000);
      const match = /HTTP server listening on (http:\/\/\S+)/.exec(output);
      if (match?.[1] === undefined) return;
      clearTimeout(timer);
      done(match[1]);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.on('error', fail);
    child.on('exit', (code) => {
      clearTimeout(timer);
      fail(new Error(`code-server ended with ${code ?? 'a signal'}: ${output}`));
    });
  });
}

async function endGroup(child: ChildProcess): Promise<void> {
  const pid = child.pid;
  if (pid === undefined) return;
  const ended = child.exitCode !== null ? Promise.resolve() : new Promise((done) => child.once('exit', done));
  signalGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), 3000);
  await ended;
  clearTimeout(timer);
  signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
