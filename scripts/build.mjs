// Bundles the four mains into dist/. Run by npm run build, the cli and editor suites and npm run package.
import { rmSync } from 'node:fs';
import { build, context } from 'esbuild';
import { copyOpenpgp, writeLicences } from './thirdParty.mjs';

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  sourcemap: !production,
  minify: production,
  logLevel: 'warning',
  legalComments: 'linked',
  metafile: true,
  // openpgp stays a file of its own.
  external: ['vscode', 'cpu-features', '*.node', 'openpgp'],
};

const host = { ...shared, format: 'cjs', outExtension: { '.js': '.cjs' }, outdir: 'dist' };

const bundles = [
  { ...host, entryPoints: { extension: 'src/extension.ts' } },
  { ...host, entryPoints: { languageClient: 'src/ui/languageClient.ts' } },
  { ...host, entryPoints: { rpc: 'src/protocol/rpc.ts' } },
  {
    ...shared,
    format: 'esm',
    splitting: true,
    outExtension: { '.js': '.mjs' },
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    banner: {
      // What CommonJS packages in an ES module miss.
      js: [
        "import { createRequire as __createRequire } from 'node:module';",
        'const require = __createRequire(import.meta.url);',
        'const __dirname = import.meta.dirname;',
      ].join(' '),
    },
    entryPoints: {
      engine: 'src/engineProcess.ts',
      languageServer: 'src/languageServer.ts',
      cli: 'src/cli.ts',
    },
  },
];

rmSync('dist', { recursive: true, force: true });
copyOpenpgp('dist');
if (watch) await Promise.all(bundles.map(async (bundle) => (await context(bundle)).watch()));
else {
  const built = await Promise.all(bundles.map((bundle) => build(bundle)));
  writeLicences(
    built.map(({ metafile }) => metafile),
    'dist/THIRD-PARTY.txt',
  );
}
