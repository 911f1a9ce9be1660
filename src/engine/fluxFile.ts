import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { inlineVariables } from '../controllers/kustomize/substitution.ts';
import { specNodeOf } from '../controllers/kustomize/writtenSpec.ts';
import type { Kustomization } from '../flux/api/kustomize.gen.ts';
import { kustomizeGroup } from '../flux/ownership.ts';
import { parseYaml } from '../kube/yaml.ts';
import { DiskTree } from './diskTree.ts';
import type { LocalBuild } from './localBuild.ts';
import { buildFluxFolder, type FluxBuildOptions, type WrittenKustomization } from './localFluxBuild.ts';

/** A file of manifests, and which Kustomization of it is meant. */
export interface FluxFile {
  readonly file: string;
  readonly name: string;
  readonly namespace: string;
}

export interface FluxFileBuildOptions extends Omit<FluxBuildOptions, 'folder' | 'variables'> {
  /** The folder that stands for spec.path; that path below `below` when absent. */
  readonly folder?: string;
  readonly below?: string;
}

/**
 * What `flux build kustomization --dry-run` prints: no cluster is asked, so variables that substituteFrom names are not
 * there. Throws InvalidPath, InvalidConfiguration, NotFound, BuildFailed.
 */
export async function buildFluxFile(file: FluxFile, options: FluxFileBuildOptions): Promise<LocalBuild> {
  const { folder, below = '.', ...rest } = options;
  const source = await readFluxFile(file);
  const { kustomization } = source;
  return buildFluxFolder(source, {
    ...rest,
    folder: folder ?? join(below, kustomization.spec.path ?? ''),
    variables: inlineVariables(kustomization),
  });
}

/**
 * The Kustomization of that name in the file. Throws InvalidPath for a file that cannot be read, InvalidConfiguration for
 * one that is no YAML, NotFound when it has no such Kustomization.
 */
async function readFluxFile({ file, name, namespace }: FluxFile): Promise<WrittenKustomization> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw plumbError('InvalidPath', { subject: file, message: 'the file cannot be read', cause });
  });
  const { value: documents, diagnostics } = parseYaml(new DiskTree(file).fromAbsolute(file), text);
  const problem = diagnostics.find(({ severity }) => severity === 'error');
  if (problem !== undefined) {
    const origin = { ...problem, path: file };
    throw plumbError('InvalidConfiguration', { subject: file, message: problem.message, origin });
  }
  for (const { value, node } of documents) {
    if (!isJsonObject(value) || value['kind'] !== 'Kustomization') continue;
    const kustomization = value as unknown as Kustomization;
    const { apiVersion, metadata } = kustomization;
    const isFlux = String(apiVersion).startsWith(`${kustomizeGroup}/`);
    if (!isFlux || metadata?.name !== name || (metadata.namespace ?? namespace) !== namespace) continue;
    const written = specNodeOf(node);
    return {
      kustomization: {
        ...kustomization,
        metadata: { ...metadata, namespace },
        spec: kustomization.spec ?? {},
      },
      ...(written !== undefined && { written }),
    };
  }
  throw plumbError('NotFound', {
    subject: file,
    message: `the file has no Kustomization ${namespace}/${name}`,
    hint: 'name it with -n NAMESPACE and the name that its metadata has',
  });
}
