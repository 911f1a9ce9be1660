import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, type TestContext } from 'node:test';
import { launchBrowser } from '../../scripts/editor/browser.ts';
import { startCodeServer, type CodeServer } from '../../scripts/editor/codeServer.ts';
import { ensureEditorTools, type EditorTools } from '../../scripts/editor/editorTools.ts';
import { openWorkbench, type Workbench } from '../../scripts/editor/workbench.ts';

const repository = resolve(import.meta.dirname, '../..');
const screenshots = join(import.meta.dirname, 'screenshots');

export interface EditorOptions {
  /** Environment of the editor, and so of the engine: `KUBECONFIG`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** True: folders are not trusted until the user says so. */
  readonly workspaceTrust?: boolean;
}

/** VS Code in a browser with the built extension, for the tests of one file. */
export interface Editor {
  readonly tools: EditorTools;
  /** All that the editor keeps on this machine's disk. */
  readonly stateFolder: string;
  /**
   * Opens a folder in a fresh window and runs the test in it; afterwards the window is closed. On failure a screenshot
   * and the log are kept under the test's name.
   */
  inWindow(test: TestContext, folder: string, work: (workbench: Workbench) => Promise<void>): Promise<void>;
}

/** Call it at the top of a test file: everything it starts ends after the file's tests. */
export async function startEditor(options: EditorOptions = {}): Promise<Editor> {
  const tools = await ensureEditorTools({ onProgress: (text) => process.stderr.write(`${text}\n`) });
  const server = await startCodeServer({
    tools,
    workspace: tmpdir(),
    extension: repository,
    env: { KUBECONFIG: join(tmpdir(), 'plumb-no-such-kubeconfig'), ...options.env },
    ...(options.settings !== undefined && { settings: options.settings }),
    ...(options.workspaceTrust !== undefined && { workspaceTrust: options.workspaceTrust }),
  });
  after(() => server.stop());
  const browser = await launchBrowser(tools);
  after(() => browser.close());
  return {
    tools,
    stateFolder: server.stateFolder,
    inWindow: async (test, folder, work) => {
      const url = server.url.replace(/folder=.*/, `folder=${encodeURIComponent(folder)}`);
      const workbench = await openWorkbench({ browser, url, password: server.password, screenshots });
      try {
        await work(workbench);
      } catch (error) {
        await keepEvidence(workbench, server, test.fullName ?? test.name);
        throw error;
      } finally {
        await workbench.close();
      }
    },
  };
}

async function keepEvidence(workbench: Workbench, server: CodeServer, name: string): Promise<void> {
  const file = `failed ${name}`.replaceAll(/[^\w -]/g, '_');
  await workbench.screenshot(file);
  await writeFile(join(screenshots, `${file}.log`), await extensionLog(server));
}

/** What the extension wrote into its log channel, of all windows so far. */
async function extensionLog(server: CodeServer): Promise<string> {
  const folder = join(server.stateFolder, 'data/logs');
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('Plumb.log'));
  const texts = await Promise.all(
    files.sort().map(async (file) => `== ${file}\n${await readFile(join(folder, file), 'utf8')}`),
  );
  return texts.join('\n');
}

/** A copy of the sample fleet for one test, removed after the file's tests. */
export async function fleetCopy(test: TestContext): Promise<string> {
  const folder = await temporaryFolder(test, 'fleet');
  await cp(join(repository, 'test/fixtures/fleet'), folder, { recursive: true });
  return folder;
}

/** An empty folder, removed after the test. */
export async function temporaryFolder(test: TestContext, name: string): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'plumb-workspace-'));
  test.after(() => rm(parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const folder = join(parent, name);
  await mkdir(folder);
  return folder;
}

/** Changes a file of a workspace on disk. */
export async function editFile(path: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const changed = change(text);
  if (changed === text) throw new Error(`${path}: the edit changed nothing`);
  await writeFile(path, changed);
}
