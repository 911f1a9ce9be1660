// What the packages inside the bundles ask of whoever passes them on.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const licenceName = /^(licen[cs]e|notice|copying)([.-].*)?$/i;

/** Writes the licence texts of every bundled package, found in esbuild's metafiles, into one file. */
export function writeLicences(metafiles, file) {
  const folders = new Set(
    metafiles.flatMap(({ inputs }) =>
      Object.keys(inputs).flatMap(
        (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
      ),
    ),
  );
  const packages = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((entry) => licenceName.test(entry));
    const text = files.map((entry) => readFileSync(join(folder, entry), 'utf8').trim()).join('\n\n');
    return { name, version, license, text };
  });
  const texts = packages.map(({ name, version, license, text }) => {
    // Some packages of a scope are published without the text that their siblings from the same repository carry.
    const sibling = packages.find(
      (other) =>
        other.text !== '' && other.license === license && scopeOf(other.name) === (scopeOf(name) ?? false),
    );
    const own = text === '' ? sibling?.text : text;
    return `${name} ${version}\n\n${own ?? 'The package has no licence text of its own.'}\n`;
  });
  writeFileSync(file, texts.join(`\n${'-'.repeat(80)}\n\n`));
}

function scopeOf(name) {
  return /^@[^/]+(?=\/)/.exec(name)?.[0];
}

/**
 * Puts the published file of openpgp beside the bundles, with its licences: under the LGPL it stays a file of its own that a user
 * can replace. The bundles find it as a package.
 */
export function copyOpenpgp(dist) {
  const [from, to] = ['node_modules/openpgp', join(dist, 'node_modules/openpgp')];
  mkdirSync(to, { recursive: true });
  copyFileSync(join(from, 'dist/node/openpgp.min.mjs'), join(to, 'openpgp.min.mjs'));
  copyFileSync(join(from, 'LICENSE'), join(to, 'LGPL-3.0.txt'));
  copyFileSync('docs/licences/GPL-3.0.txt', join(to, 'GPL-3.0.txt'));
  const { name, version, license } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  const manifest = { name, version, license, type: 'module', exports: './openpgp.min.mjs' };
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}
