import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cacheFolder } from '../../src/clients/sandbox/places.ts';

const toolsFolder = resolve(import.meta.dirname, '../../test/editor/tools');
const spdlogStandIn = join(import.meta.dirname, 'spdlogStandIn.cjs');

/** Where the installed tools lie. */
export interface EditorTools {
  /** code-server's entry file, for Node 24. */
  readonly codeServerEntry: string;
  /** playwright-core's ES module. */
  readonly playwright: string;
  /** A headless Chromium. */
  readonly chromium: string;
  /** Environment that Chromium needs: its libraries and fonts. */
  readonly chromiumEnv: Readonly<Record<string, string>>;
}

export interface EnsureOptions {
  /** Called with what is being done, before each long step. */
  readonly onProgress?: (message: string) => void;
}

/**
 * VS Code in a browser, a browser and fonts: installed into the cache by the digest of their lockfile.
 * The first time downloads some 340 MB; afterwards a look at the folder. Interrupted installs leave nothing in the way.
 */
export async function ensureEditorTools(options: EnsureOptions = {}): Promise<EditorTools> {
  const folder = join(cacheFolder(), 'editor-tools', await toolsDigest());
  if (!existsSync(join(folder, 'complete'))) await install(folder, options.onProgress ?? (() => undefined));
  return toolsIn(folder);
}

async function toolsDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [join(toolsFolder, 'package-lock.json'), spdlogStandIn, import.meta.filename])
    hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

function toolsIn(folder: string): EditorTools {
  const packages = join(folder, 'node_modules');
  const browser = join(folder, 'chromium');
  return {
    codeServerEntry: join(packages, 'code-server/out/node/entry.js'),
    playwright: join(packages, 'playwright-core/index.mjs'),
    chromium: process.env['PLUMB_CHROMIUM'] ?? join(browser, 'chromium'),
    chromiumEnv: {
      LD_LIBRARY_PATH: join(browser, 'al2023/lib'),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  };
}

async function install(folder: string, onProgress: (message: string) => void): Promise<void> {
  const staging = `${folder}.${process.pid}.partial`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  try {
    for (const file of ['package.json', 'package-lock.json'])
      await copyFile(join(toolsFolder, file), join(staging, file));
    onProgress('installing code-server and a browser (once, about 340 MB)');
    await runNpm(['ci'], staging);
    onProgress('installing the packages of VS Code (once)');
    const vscode = join(staging, 'node_modules/code-server/lib/vscode');
    // npm ci refuses its shrinkwrap; install follows it all the same.
    await runNpm(['install', '--omit=dev', '--no-save'], vscode);
    await copyFile(spdlogStandIn, join(vscode, 'node_modules/@vscode/spdlog/index.js'));
    await removeUnneededExtensions(join(vscode, 'extensions'));
    onProgress('unpacking the browser (once)');
    await unpackChromium(staging);
    await writeFile(join(staging, 'fonts.conf'), fontsConfig(folder));
    await writeFile(join(staging, 'complete'), '');
    await putInPlace(staging, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Languages and services that no manifest needs: each costs time at every start of a window. */
async function removeUnneededExtensions(folder: string): Promise<void> {
  const needed =
    /^(configuration-editing|diff|git|git-base|json.*|markdown-.*|merge-conflict|search-result|shellscript|theme-.*|yaml)$/;
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const { name } of names)
    if (name !== 'node_modules' && !needed.test(name)) await rm(join(folder, name), { recursive: true });
}

/** Another process may have been first: then its folder is as good as ours. */
async function putInPlace(staging: string, folder: string): Promise<void> {
  try {
    await rename(staging, folder);
  } catch (error) {
    if (!existsSync(join(folder, 'complete'))) throw error;
  }
}

async function runNpm(args: readonly string[], cwd: string): Promise<void> {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  await run(npm, [...args, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd });
}

/** Its package unpacks into TMPDIR and would take whatever lies there: so it gets a folder of its own. */
async function unpackChromium(staging: string): Promise<void> {
  const target = join(staging, 'chromium');
  await mkdir(target);
  const entry = join(staging, 'node_modules/@sparticuz/chromium/build/index.js');
  const script = `const { default: chromium } = await import(${JSON.stringify(entry)}); await chromium.executablePath();`;
  await run(process.execPath, ['--input-type=module', '-e', script], {
    cwd: staging,
    env: { ...process.env, TMPDIR: target, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
  });
}

function fontsConfig(folder: string): string {
  const alias = (family: string, preferred: string): string =>
    `  <alias binding="strong"><family>${family}</family><prefer><family>${preferred}</family></prefer></alias>\n`;
  return (
    '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n' +
    `  <dir>${join(folder, 'node_modules/dejavu-fonts-ttf/ttf')}</dir>\n` +
    `  <dir>${join(folder, 'chromium/fonts')}</dir>\n` +
    `  <cachedir>${join(folder, 'fonts-cache')}</cachedir>\n` +
    alias('system-ui', 'Open Sans') +
    alias('sans-serif', 'Open Sans') +
    alias('monospace', 'DejaVu Sans Mono') +
    '</fontconfig>\n'
  );
}

function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)));
    child.on('error', fail);
    child.on('close', (code, signal) => {
      if (code === 0) done();
      else
        fail(new Error(`${program} ${args[0] ?? ''} ended with ${code ?? signal ?? '?'}: ${errors.trim()}`));
    });
  });
}
