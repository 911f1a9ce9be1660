import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { JsonObject } from '../../../src/base/json.ts';
import type { OracleType } from '../../oracle/oracle.ts';

/** A tree to build. `case.yaml` in its folder holds the options; it is not part of the tree. */
export interface KustomizeCase {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly options: CaseOptions;
}

export interface CaseOptions {
  /** What is built, relative to the case's folder; its root when absent. */
  readonly path?: string;
  readonly loadRestrictor?: 'LoadRestrictionsNone' | 'LoadRestrictionsRootOnly';
  /** The Flux Kustomization's spec without its path; {} when absent. */
  readonly spec?: JsonObject;
}

/** A case is built twice: as `kustomize build` does and as kustomize-controller does. */
export const builds = ['kustomize', 'flux'] as const satisfies readonly OracleType[];
export type Build = (typeof builds)[number];

const casesFolder = join(import.meta.dirname, 'cases');
export const goldenFolder = join(import.meta.dirname, 'golden');

export function caseNames(): readonly string[] {
  return readdirSync(casesFolder).sort();
}

export function readCase(name: string): KustomizeCase {
  const folder = join(casesFolder, name);
  const files = new Map<string, Uint8Array>();
  let options: CaseOptions = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(folder.length + 1);
    if (path === 'case.yaml') options = (parse(readFileSync(file, 'utf8')) ?? {}) as CaseOptions;
    else files.set(path, readFileSync(file));
  }
  return { name, files: new Map([...files].sort(([left], [right]) => (left < right ? -1 : 1))), options };
}

/** The Flux object that stands for a case: what the tests and the oracle both build. */
export function fluxObject(options: CaseOptions): JsonObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'flux-system' },
    spec: { ...options.spec, path: options.path ?? '' },
  };
}

/** The recorded answer of upstream: printed YAML or an error's text. */
export function readGolden(
  name: string,
  build: Build,
): { readonly output?: string; readonly error?: string } {
  const [output, error] = goldenFiles(name, build);
  return existsSync(output)
    ? { output: readFileSync(output, 'utf8') }
    : { error: readFileSync(error, 'utf8') };
}

export function goldenFiles(name: string, build: Build): readonly [output: string, error: string] {
  const stem = join(goldenFolder, build === 'flux' ? `${name}.flux` : name);
  return [`${stem}.yaml`, `${stem}.error`];
}
