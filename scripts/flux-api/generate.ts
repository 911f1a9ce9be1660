// Makes src/flux/crds, src/flux/api and src/flux/kinds.gen.ts from the Go API modules pinned in go.mod, and the tables of
// Kubernetes' and kustomize's own kinds in src/language/schemas.
// Run by npm run generate:flux-api; needs Go. Outputs are committed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { JsonValue } from '../../src/base/json.ts';
import { emitAll, type CustomResourceDefinition } from './emitTypes.ts';
import { kubernetesTable } from './kubernetes.ts';
import { kustomizationTable } from './kustomizationTable.ts';
import { printTable } from './typeTable.ts';
import { withoutProse } from './withoutProse.ts';

const here = import.meta.dirname;
const flux = resolve(here, '../../src/flux');

const definitions = controllerGen().map(
  (definition) => withoutProse(definition) as unknown as CustomResourceDefinition,
);
writeCrds(definitions);
for (const [path, text] of emitAll(definitions)) {
  mkdirSync(join(flux, 'api'), { recursive: true });
  writeFileSync(join(flux, path), text);
}
const schemas = resolve(here, '../../src/language/schemas');
mkdirSync(schemas, { recursive: true });
writeFileSync(join(schemas, 'kubernetes.json'), printTable(kubernetesTable()));
writeFileSync(join(schemas, 'kustomization.json'), printTable(kustomizationTable()));

/** The CRDs of every package imported in modules.go, in the order of their names. */
function controllerGen(): JsonValue[] {
  const out = mkdtempSync(join(tmpdir(), 'plumb-crds-'));
  try {
    const packages = [...readFileSync(join(here, 'modules.go'), 'utf8').matchAll(/_ "([^"]+)"/g)];
    const args = ['tool', 'controller-gen', 'crd:crdVersions=v1,maxDescLen=0'];
    args.push(...packages.map((match) => `paths=${match[1]}`), `output:crd:dir=${out}`);
    const result = spawnSync('go', args, { cwd: here, stdio: 'inherit' });
    if (result.status !== 0)
      throw new Error(`go ${args.slice(0, 2).join(' ')} failed; the lines above say why`);
    return readdirSync(out)
      .sort()
      .map((file) => parse(readFileSync(join(out, file), 'utf8')) as JsonValue);
  } finally {
    rmSync(out, { recursive: true });
  }
}

function writeCrds(definitions: readonly CustomResourceDefinition[]): void {
  const folder = join(flux, 'crds');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const definition of definitions) {
    const path = join(folder, `${definition.metadata.name}.json`);
    writeFileSync(path, `${JSON.stringify(definition, undefined, 2)}\n`);
  }
}
