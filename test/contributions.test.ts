import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly title: string;
      readonly category: string;
    }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string }[]>>;
    readonly views: Readonly<Record<string, readonly { readonly id: string; readonly icon: string }[]>>;
    readonly viewsContainers: {
      readonly activitybar: readonly { readonly id: string; readonly icon: string }[];
    };
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string }[];
    readonly configuration: {
      readonly properties: Readonly<Record<string, { readonly scope: string; readonly default: unknown }>>;
    };
  };
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
  readonly enabledApiProposals?: unknown;
}

const root = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const { contributes } = manifest;
const readme = read('README.md');
const contributed = contributes.commands.map(({ command }) => command).sort();

test('every contributed command is registered, and the other way round', () => {
  const registered = [...read('src/ui/commands/commands.ts').matchAll(/'(plumb\.\w+)':/g)].map(
    (match) => match[1],
  );
  assert.deepEqual(registered.sort(), contributed);
});

test('the README lists every command of the editor by its title, and no other', () => {
  const documented = [...readme.matchAll(/^\| Plumb: ([^|]+) \|/gm)].map((match) => match[1]).sort();
  assert.deepEqual(documented, contributes.commands.map(({ title }) => title).sort());
});

test('hints name commands by the title the palette shows', () => {
  const titles = new Set(contributes.commands.map(({ title }) => title));
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const named = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      [...read(join('src', file)).matchAll(/"Plumb: ([A-Z][^"]*)"/g)].map((match) => match[1] ?? ''),
    );
  assert.ok(named.length > 0, 'hints were found');
  assert.deepEqual(
    named.filter((title) => !titles.has(title)),
    [],
  );
});

test('every command is found under "Plumb:" in the palette', () => {
  for (const { command, category } of contributes.commands) assert.equal(category, 'Plumb', command);
});

test('menus and welcome texts name only what is contributed', () => {
  const used = Object.values(contributes.menus).flatMap((entries) => entries.map(({ command }) => command));
  const linked = contributes.viewsWelcome.flatMap(({ contents }) =>
    [...contents.matchAll(/command:(plumb\.\w+)/g)].map((match) => match[1] ?? ''),
  );
  assert.deepEqual(
    [...new Set([...used, ...linked])].filter((command) => !contributed.includes(command)),
    [],
  );
  const views = Object.values(contributes.views).flatMap((all) => all.map(({ id }) => id));
  for (const { view } of contributes.viewsWelcome) assert.ok(views.includes(view), view);
});

/** Why a setting has its scope (architecture, section 11). A repository's own settings reach the last two only. */
const scopes: Readonly<Record<string, string>> = {
  // Names a credential file, a context or a program, or decides what is written.
  'plumb.kubeconfig': 'machine',
  'plumb.context': 'machine',
  'plumb.sources': 'machine',
  'plumb.requireSopsMac': 'machine',
  'plumb.useOwnCloudLogin': 'machine',
  'plumb.gitPath': 'machine',
  // Read by the engine, harmless: held off until the workspace is trusted.
  'plumb.namespace': 'window',
  // Only drawn.
  'plumb.drift.showEdited': 'resource',
};

test('settings have the scope that keeps a repository from setting what it must not', () => {
  const actual = Object.entries(contributes.configuration.properties).map(([name, { scope }]) => [
    name,
    scope,
  ]);
  assert.deepEqual(Object.fromEntries(actual), scopes);
});

test('what the user agrees to is no setting: no repository and no other workspace can agree for them', () => {
  const names = Object.keys(contributes.configuration.properties);
  assert.deepEqual(
    names.filter((name) => /save|consent|mode|local|confirm|apply|prune|revert/i.test(name)),
    [],
  );
  assert.match(read('src/ui/startUi.ts'), /new ReconcileOnSave\(ui, context\.workspaceState\)/);
});

test('settings that the engine reads are restricted until the workspace is trusted', () => {
  const engineSettings = [...read('src/ui/config.ts').matchAll(/settings\.get<[^(]*\('([\w.]+)'/g)].map(
    (match) => `plumb.${match[1]}`,
  );
  assert.ok(engineSettings.length >= 5, 'the settings were found in config.ts');
  const open = engineSettings.filter((name) => scopes[name] !== 'machine' && scopes[name] !== 'application');
  assert.deepEqual(
    open.sort(),
    [...manifest.capabilities.untrustedWorkspaces.restrictedConfigurations].sort(),
  );
});

test('every setting is documented in the README, and no other', () => {
  const documented = [...readme.matchAll(/^\| `(plumb\.[\w.]+)` \|/gm)].map((match) => match[1]).sort();
  assert.deepEqual(documented, Object.keys(contributes.configuration.properties).sort());
});

test('icons are there', () => {
  const icons = [
    ...contributes.viewsContainers.activitybar.map(({ icon }) => icon),
    ...Object.values(contributes.views).flatMap((views) => views.map(({ icon }) => icon)),
  ];
  assert.deepEqual(
    icons.filter((icon) => !existsSync(join(root, icon))),
    [],
  );
});

test('no proposed API is used: desktop refuses it', () => {
  assert.equal(manifest.enabledApiProposals, undefined);
});

test('the .vsix holds what runs and what is read, and nothing else', () => {
  const vsce = join(root, 'node_modules/@vscode/vsce/vsce');
  const output = execFileSync(process.execPath, [vsce, 'ls', '--no-dependencies'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = output.split('\n').filter((line) => line !== '' && !/^\s*(INFO|WARN)/.test(line));
  const allowed = /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|NOTICE|(dist|media|syntaxes)\/.*)$/;
  assert.deepEqual(
    files.filter((file) => !allowed.test(file) || file.endsWith('.map')),
    [],
  );
  for (const file of ['package.json', 'README.md', 'LICENSE', 'media/plumb.svg'])
    assert.ok(files.includes(file), file);
});
