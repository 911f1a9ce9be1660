import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import type { Origin } from '../base/position.ts';
import { prepareOverlay } from '../controllers/kustomize/overlay.ts';
import { expandObjects } from '../controllers/kustomize/stampOwnership.ts';
import { inlineVariables, substituteObjects } from '../controllers/kustomize/substitution.ts';
import { overlayOfSpec, specNodeOf } from '../controllers/kustomize/writtenSpec.ts';
import type { Kustomization } from '../flux/api/kustomize.gen.ts';
import { kustomizeGroup, ownershipLabels, withMetadata } from '../flux/ownership.ts';
import type { BuiltObject } from '../kube/builtObject.ts';
import { parseYaml } from '../kube/yaml.ts';
import type { YamlNode } from '../kube/yamlNode.ts';
import { printYaml } from '../kube/yamlPrint.ts';
import { goJson } from '../lib/kustomize/goJson.ts';
import { DiskTree } from './diskTree.ts';
import { buildOnDisk, folderNames, localBuild, openFolder, type LocalBuild } from './localBuild.ts';
import { maskSops } from './maskSops.ts';

export interface FluxBuildOptions {
  /** The folder that stands for spec.path; that path below `cwd` when absent. */
  readonly folder?: string;
  readonly cwd: string;
  /** The file that holds the Kustomization. */
  readonly file: string;
  readonly name: string;
  readonly namespace: string;
  /** Whether a variable that is not set is an error, as in the controller. */
  readonly isStrict: boolean;
  readonly format: 'yaml' | 'json';
  readonly remoteBases: 'fetched' | 'refused';
  readonly signal: AbortSignal;
}

/**
 * What `flux build kustomization --dry-run` prints: the folder built for a Kustomization that a file holds, without any
 * cluster, so without the variables that substituteFrom names. Values encrypted with SOPS are masked. Writes nothing.
 * Throws NotFound when the file has no such Kustomization, BuildFailed where a variable is missing.
 */
export async function buildFluxFolder(options: FluxBuildOptions): Promise<LocalBuild> {
  const { kustomization, written } = await readKustomizationOf(options);
  const { tree, path } = await openFolder(options.folder ?? join(options.cwd, kustomization.spec.path ?? ''));
  const prepared = prepareOverlay(tree, tree.fromAbsolute(path), kustomization.spec);
  const overlay = written === undefined ? prepared : overlayOfSpec(prepared, written);
  const { objects: built, diagnostics } = await buildOnDisk(overlay.files, path, options, {
    rootChanges: overlay.rootChanges,
  });
  const nameOf = folderNames(tree, path);
  const objects = built.map((object) => withNames(object, nameOf));
  const substituted = substituteObjects(objects, kustomization, inlineVariables(kustomization), options);
  const stamped = stamp(substituted, kustomization);
  const text =
    options.format === 'json'
      ? stamped.map(({ object }) => `${goJson(object)}\n`).join('')
      : stamped.map(({ object }) => `${printYaml(object)}---\n`).join('');
  const named = diagnostics.map((diagnostic) => ({ ...diagnostic, path: nameOf(diagnostic.path) }));
  return localBuild((file) => file, stamped, named, text);
}

/** Ownership labels, then masks, then spec.commonMetadata; what the server would change stays as it is in the files. */
function stamp(objects: readonly BuiltObject[], { metadata, spec }: Kustomization): readonly BuiltObject[] {
  const { name, namespace = '' } = metadata;
  const { labels = {}, annotations = {} } = spec.commonMetadata ?? {};
  const owned = objects.map(({ object, origins }) =>
    maskSops({ object: withMetadata(object, ownershipLabels({ name, namespace })), origins }),
  );
  return expandObjects(owned).map(({ object, origins }) => ({
    object: withMetadata(object, labels, annotations),
    origins,
  }));
}

/** The object with origins as the user calls the files; errors of later steps carry them. */
function withNames({ object, origins }: BuiltObject, nameOf: (file: string) => string): BuiltObject {
  const named = (origin: Origin): Origin => ({ ...origin, path: nameOf(origin.path) });
  return {
    object,
    origins: {
      at: (pointer) => {
        const origin = origins.at(pointer);
        return origin === undefined ? undefined : named(origin);
      },
      *entries() {
        for (const [pointer, origin] of origins.entries()) yield [pointer, named(origin)];
      },
    },
  };
}

/** The Kustomization of the file, and where its spec stands. */
async function readKustomizationOf({
  file,
  name,
  namespace,
}: FluxBuildOptions): Promise<{ readonly kustomization: Kustomization; readonly written?: YamlNode }> {
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
