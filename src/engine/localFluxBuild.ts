import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import type { Origin } from '../base/position.ts';
import { overlayWithout } from '../controllers/kustomize/overlay.ts';
import { expandObjects } from '../controllers/kustomize/stampOwnership.ts';
import { substituteObjects, type Variables } from '../controllers/kustomize/substitution.ts';
import { overlayOfSpec } from '../controllers/kustomize/writtenSpec.ts';
import type { Kustomization } from '../flux/api/kustomize.gen.ts';
import { ownershipLabels, withMetadata } from '../flux/ownership.ts';
import type { BuiltObject } from '../kube/builtObject.ts';
import { isSecretObject, maskValue } from '../kube/mask.ts';
import type { YamlNode } from '../kube/yamlNode.ts';
import { printYaml } from '../kube/yamlPrint.ts';
import { goJson } from '../lib/kustomize/goJson.ts';
import { readFolderIgnore } from '../lib/sourceignore/folderIgnore.ts';
import { buildOnDisk, folderNames, localBuild, openFolder, type LocalBuild } from './localBuild.ts';
import { maskSops } from './maskSops.ts';

/** A Kustomization, and where its spec stands when a file has it. */
export interface WrittenKustomization {
  readonly kustomization: Kustomization;
  readonly written?: YamlNode;
}

export interface FluxBuildOptions {
  /** The folder that stands for spec.path. */
  readonly folder: string;
  /** The variables of the spec and of what it names. */
  readonly variables: Variables;
  /** Whether a variable that is not set is an error, as in the controller. */
  readonly isStrict: boolean;
  readonly format: 'yaml' | 'json';
  readonly remoteBases: 'fetched' | 'refused';
  readonly signal: AbortSignal;
}

/**
 * What `flux build kustomization` prints: the folder built for a Kustomization, without what the folder's ignore files
 * leave out. Values encrypted with SOPS are masked, and those that a Secret of the cluster brought into a Secret. Writes
 * nothing. Throws BuildFailed where a variable is missing.
 */
export async function buildFluxFolder(
  { kustomization, written }: WrittenKustomization,
  options: FluxBuildOptions,
): Promise<LocalBuild> {
  const { tree, path } = await openFolder(options.folder);
  const folder = tree.fromAbsolute(path);
  const ignore = readFolderIgnore(tree, folder);
  const prepared = overlayWithout({ tree, folder, spec: kustomization.spec, ignore });
  const overlay = written === undefined ? prepared : overlayOfSpec(prepared, written);
  const { objects: built, diagnostics } = await buildOnDisk(overlay.files, path, options, {
    rootChanges: overlay.rootChanges,
  });
  const nameOf = folderNames(tree, path);
  const objects = built.map((object) => withNames(object, nameOf));
  const substituted = substituteObjects(objects, kustomization, options.variables, options);
  const shown = usesSecrets(kustomization)
    ? substituted.map((after, index) => maskSubstituted(objects[index], after))
    : substituted;
  const stamped = stamp(shown, kustomization);
  const text =
    options.format === 'json'
      ? stamped.map(({ object }) => `${goJson(object)}\n`).join('')
      : stamped.map(({ object }) => `${printYaml(object)}---\n`).join('');
  const named = diagnostics.map((diagnostic) => ({ ...diagnostic, path: nameOf(diagnostic.path) }));
  return localBuild((file) => file, stamped, named, text);
}

function usesSecrets({ spec }: Kustomization): boolean {
  return (spec.postBuild?.substituteFrom ?? []).some(({ kind }) => kind === 'Secret');
}

/** A Secret without the values that variables changed: what a Secret of the cluster holds is not for the screen. */
function maskSubstituted(before: BuiltObject | undefined, after: BuiltObject): BuiltObject {
  const { object } = after;
  if (!isSecretObject(object)) return after;
  const change = (field: 'data' | 'stringData'): JsonObject => {
    const map = object[field];
    if (!isJsonObject(map)) return {};
    const written = before?.object[field];
    const entries = Object.entries(map).map(([key, value]) => {
      const isSame = isJsonObject(written) && written[key] === value;
      return [key, isSame ? value : maskValue(object, `/${field}/${key}`, value as JsonValue)] as const;
    });
    return { [field]: Object.fromEntries(entries) };
  };
  return { ...after, object: { ...object, ...change('data'), ...change('stringData') } };
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
