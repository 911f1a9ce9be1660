import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

interface Rule {
  /** Folders of src that may be imported. */
  readonly from: readonly string[];
  /** Packages and node modules, by name or `prefix*`. */
  readonly packages: readonly string[];
}

const lib = (...packages: string[]): Rule => ({
  from: ['base', 'kube'],
  packages: ['yaml', 'node:crypto', 'node:zlib', ...packages],
});
const below = ['base', 'kube', 'flux', 'lib', 'clients', 'ssa'];

/** The law of architecture section 4. Changing a line needs an ADR. The longest matching folder decides. */
const rules: Readonly<Record<string, Rule>> = {
  base: { from: [], packages: ['node:crypto', 'node:path'] },
  kube: { from: ['base'], packages: ['yaml', 'diff'] },
  flux: { from: ['base', 'kube'], packages: [] },
  'lib/kustomize': { ...lib('re2js'), from: ['base', 'kube', 'lib/envsubst', 'lib/helm'] },
  'lib/helm': { ...lib('ajv'), from: ['base', 'kube', 'lib/gotemplate'] },
  'lib/gotemplate': lib('re2js', 'smol-toml'),
  'lib/envsubst': lib(),
  'lib/sops': lib('re2js'),
  'lib/cel': lib('re2js'),
  'lib/semver': lib(),
  'lib/sourceignore': lib(),
  'lib/tar': lib('tar-stream'),
  'clients/cluster': {
    from: ['base', 'kube', 'clients/http'],
    packages: ['@kubernetes/client-node*', 'node:*'],
  },
  'clients/git': { from: ['base', 'kube'], packages: ['simple-git', 'ssh2', 'node:*'] },
  'clients/http': { from: ['base', 'kube'], packages: ['socks', 'node:*'] },
  'clients/oci': {
    from: ['base', 'kube', 'clients/http'],
    packages: ['@aws-sdk/*', 'google-auth-library', '@azure/*', 'node:*'],
  },
  'clients/bucket': {
    from: ['base', 'kube', 'clients/http'],
    packages: ['@aws-sdk/*', '@google-cloud/*', '@azure/*', 'node:*'],
  },
  'clients/kms': {
    from: ['base', 'kube', 'clients/http'],
    packages: [
      '@aws-sdk/*',
      '@google-cloud/*',
      '@azure/*',
      '@noble/ciphers*',
      'age-encryption',
      'openpgp',
      'node:*',
    ],
  },
  'clients/sandbox': { from: ['base', 'kube'], packages: ['node:*'] },
  ssa: { from: ['base', 'kube', 'clients/cluster'], packages: [] },
  'controllers/source': { from: below, packages: ['@sigstore/*', 'openpgp'] },
  'controllers/artifact': { from: below, packages: [] },
  'controllers/kustomize': { from: below, packages: [] },
  'controllers/helm': { from: below, packages: [] },
  'controllers/notification': { from: below, packages: ['nodemailer', '@nats-io/*'] },
  'controllers/image': { from: below, packages: [] },
  bootstrap: { from: below, packages: [] },
  protocol: { from: ['base', 'kube'], packages: ['vscode-jsonrpc*'] },
  language: {
    from: ['base', 'kube', 'flux', 'lib'],
    packages: ['vscode-languageserver-types', 'vscode-languageserver-textdocument'],
  },
  engine: {
    from: [...below, 'controllers', 'bootstrap', 'protocol', 'language/rendered'],
    packages: ['node:*'],
  },
  'ui/model': { from: ['base', 'kube', 'protocol'], packages: ['diff'] },
  'ui/webview': { from: ['base', 'kube', 'protocol', 'ui/model'], packages: ['preact', '@dagrejs/dagre'] },
  ui: {
    from: ['base', 'kube', 'protocol', 'ui/model'],
    packages: ['vscode', 'node:child_process', 'node:path', 'node:tls'],
  },
  cli: { from: ['base', 'kube', 'protocol', 'engine', 'language', 'clients/sandbox'], packages: ['node:*'] },
  'extension.ts': { from: ['ui'], packages: ['vscode'] },
  'engineProcess.ts': { from: ['base', 'engine', 'protocol'], packages: ['vscode-jsonrpc*', 'node:*'] },
  'languageServer.ts': {
    from: ['base', 'language', 'protocol'],
    packages: ['vscode-languageserver*', 'node:*'],
  },
  'cli.ts': { from: ['base', 'cli'], packages: ['node:*'] },
};

/** Single files that may import what their folder may not. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  'ui/languageClient.ts': ['vscode-languageclient/node'],
  'cli/commands/version.ts': ['src:../package.json'],
};

const hardLineLimit = 400;

test('imports follow the table', () => {
  const violations = sourceFiles().flatMap((file) => {
    const rule = ruleFor(file);
    if (rule === undefined) return [`${file}: no line in the import table`];
    return importsOf(file)
      .filter((name) => !isAllowed(file, rule, name))
      .map((name) => `${file}: may not import ${name}`);
  });
  assert.deepEqual(violations, []);
});

test('no file is over the hard limit of lines', () => {
  const long = sourceFiles()
    .filter((file) => !file.endsWith('.gen.ts') && !file.endsWith('.test.ts'))
    .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
    .filter(({ lines }) => lines > hardLineLimit);
  assert.deepEqual(long, []);
});

test('nothing writes to the console or the standard streams but the CLI', () => {
  const loud = sourceFiles()
    .filter((file) => !file.endsWith('.test.ts') && !file.startsWith('cli'))
    .filter((file) => /\bconsole\.|process\.std(out|err)\b/.test(read(file)));
  assert.deepEqual(loud, []);
});

test('only the answer to credentials/get puts a secret on the pipe', () => {
  const users = sourceFiles().filter((file) => /\brevealForEngine\b/.test(read(file)));
  assert.deepEqual(users, ['protocol/rpc.ts', 'protocol/secretCodec.ts']);
});

test('no folder has import cycles between files', () => {
  const graph = new Map(
    sourceFiles().map((file) => [
      file,
      importsOf(file)
        .filter((name) => name.startsWith('src:'))
        .map((name) => name.slice(4)),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (done.has(file)) return;
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  assert.deepEqual(cycles, []);
});

test('the packages that Plumb is to be built on are there', () => {
  const manifest = JSON.parse(readFileSync(join(src, '../package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const all = { ...manifest['dependencies'], ...manifest['devDependencies'] };
  const mandated = [
    '@types/vscode',
    '@kubernetes/client-node',
    'simple-git',
    'yaml',
    'vscode-languageclient',
    'diff',
  ];
  assert.deepEqual(
    mandated.filter((name) => !(name in all)),
    [],
  );
});

test('no file has a name that says nothing', () => {
  const vague = sourceFiles().filter((file) =>
    /(^|\/)(utils?|common|helpers?|types|index|misc)(\.\w+)*\.ts$/.test(file),
  );
  assert.deepEqual(vague, []);
});

function sourceFiles(): string[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
    .sort();
}

function read(file: string): string {
  return readFileSync(join(src, file), 'utf8');
}

/** Specifiers as they are judged: `src:<file>` for our own, the package or node module otherwise. */
function importsOf(file: string): string[] {
  const pattern =
    /(?:^|[\s;])(?:import|export)\s(?:[^'"`;]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...read(file).matchAll(pattern)].map((match) => {
    const specifier = match[1] ?? match[2] ?? '';
    if (specifier.startsWith('.')) return `src:${relative(src, resolve(src, dirname(file), specifier))}`;
    return builtinModules.includes(specifier) ? `node:${specifier}` : specifier;
  });
}

function ruleFor(file: string): Rule | undefined {
  return rules[folderOf(file)];
}

function folderOf(file: string): string {
  const candidates = Object.keys(rules).filter((folder) => file === folder || file.startsWith(`${folder}/`));
  return candidates.sort((a, b) => b.length - a.length)[0] ?? '';
}

function isAllowed(file: string, rule: Rule, name: string): boolean {
  if (file.endsWith('.test.ts') && (name.startsWith('node:') || isTestTool(name))) return true;
  if (exceptions[file]?.includes(name)) return true;
  if (!name.startsWith('src:')) return rule.packages.some((allowed) => matches(allowed, name));
  const target = name.slice(4);
  if (target.startsWith('..')) return false;
  const own = folderOf(file);
  const targetFolder = folderOf(target);
  return (
    targetFolder === own ||
    rule.from.some((folder) => targetFolder === folder || targetFolder.startsWith(`${folder}/`))
  );
}

/** Unit tests may use the test helpers under test/. */
function isTestTool(name: string): boolean {
  return name.startsWith('src:../test/');
}

function matches(allowed: string, name: string): boolean {
  return allowed.endsWith('*') ? name.startsWith(allowed.slice(0, -1)) : allowed === name;
}
