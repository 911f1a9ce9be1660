import { sha256Digest } from '../../base/digest.ts';
import { isJsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { joinTreePath } from '../../base/treePath.ts';
import type { Diagnosed, Diagnostic } from '../../base/diagnostic.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { inventoryOf } from '../../flux/kustomization.ts';
import type { Artifact } from '../../flux/artifact.ts';
import { isGateOn } from '../../flux/controllerProfile.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';
import { formatRef, refOf, type KubeObject } from '../../kube/object.ts';
import type { BuildCache } from '../../lib/kustomize/buildCache.ts';
import type { BuildOptions } from '../../lib/kustomize/buildKustomization.ts';
import { buildWithRemotes } from '../../lib/kustomize/buildWithRemotes.ts';
import { printYamlStream } from '../../kube/yamlPrint.ts';
import type { Desired } from '../../ssa/plan.ts';
import type { OwnDecryption } from './dataKeys.ts';
import { Decryption, type DecryptionOptions, type Unreadable } from './decryption.ts';
import type { KustomizeContext } from './kustomizeContext.ts';
import { prepareOverlay, type Overlay } from './overlay.ts';
import { expandObjects, stampOwnership } from './stampOwnership.ts';
import { loadVariables, substituteObjects } from './substitution.ts';
import { withWrittenSpec } from './writtenSpec.ts';

/** What the files give: decrypted and substituted, not yet marked as the Kustomization's. */
export interface BuiltManifests {
  readonly objects: readonly BuiltObject[];
  readonly checksum: string;
  readonly diagnostics: readonly Diagnostic[];
  /** What could not be decrypted; only where stand-ins are allowed. Then the objects are to look at, never to apply. */
  readonly unreadable: readonly Unreadable[];
  readonly own: OwnDecryption;
}

/** What a Kustomization wants in the cluster, and what its files have that the user should know. */
export type BuiltKustomization = Desired & BuiltManifests;

/**
 * Objects from which on the work of a build is kept for the next one: fewer are built again within milliseconds, and a thousand
 * small builds would fill the memory.
 */
const worthKeeping = 50;

const nothingOwn: OwnDecryption = { usedKeys: false, usedLogins: [], neededLogins: [] };

/**
 * Builds the Kustomization from the files: overlay, decryption, substitution, ownership, normalisation, in upstream's order.
 * Reads ConfigMaps and Secrets of the cluster where the Kustomization names them. Throws BuildFailed, InvalidPath,
 * SecretEncrypted.
 */
export async function buildDesired(
  ctx: KustomizeContext,
  kustomization: Kustomization,
  artifact: Artifact,
  options: DecryptionOptions = {},
): Promise<BuiltKustomization> {
  return desiredOf(await buildManifests(ctx, kustomization, artifact, options), kustomization);
}

/** The first half of buildDesired, up to what status.history counts by its checksum. Throws BuildFailed, InvalidPath. */
export async function buildManifests(
  ctx: KustomizeContext,
  kustomization: Kustomization,
  artifact: Artifact,
  options: DecryptionOptions = {},
): Promise<BuiltManifests> {
  const path = pathOf(kustomization, artifact);
  const { files: source } = artifact;
  const prepared = prepareOverlay(source, path, kustomization.spec);
  const overlay = withWrittenSpec(prepared, kustomization, source);
  const decryption = await Decryption.of(ctx, kustomization, options);
  const files = (await decryption?.decryptSources(overlay, path)) ?? overlay.files;
  const isLarge = inventoryOf(kustomization).length >= worthKeeping;
  const builds = isLarge ? ctx.builds : undefined;
  const { value: encrypted, diagnostics } = await buildOverlay(ctx, { ...overlay, files }, path, builds);
  const built = (await decryption?.decryptObjects(encrypted, overlay.files)) ?? encrypted;
  const macs = decryption?.diagnostics() ?? [];
  if (ctx.requireSopsMac === true) requireMacs(macs);
  const variables =
    kustomization.spec.postBuild === undefined
      ? new Map<string, string>()
      : await loadVariables(ctx, kustomization);
  const substituted = substituteObjects(built, kustomization, variables, {
    isStrict: isGateOn(ctx.profile, 'StrictPostBuildSubstitutions'),
  });
  return {
    objects: substituted,
    checksum: sha256Digest(printYamlStream(substituted.map(({ object }) => object))),
    unreadable: decryption?.unreadable ?? [],
    own: decryption?.own() ?? nothingOwn,
    diagnostics: [...diagnostics, ...macs],
  };
}

/** The second half of buildDesired: what is applied of the manifests. Throws SecretEncrypted. */
export function desiredOf(manifests: BuiltManifests, kustomization: Kustomization): BuiltKustomization {
  const expanded = expandObjects(manifests.objects);
  for (const object of expanded) requireDecrypted(object);
  const stamped = stampOwnership(expanded, kustomization);
  return {
    ...manifests,
    objects: stamped.value,
    diagnostics: [...manifests.diagnostics, ...stamped.diagnostics],
  };
}

/** The build of the overlay: everything that is wrong with the files is told, the first error is thrown. */
async function buildOverlay(
  ctx: KustomizeContext,
  overlay: Overlay,
  path: string,
  cache: BuildCache | undefined,
): Promise<Diagnosed<readonly BuiltObject[]>> {
  const options: BuildOptions = {
    rootChanges: overlay.rootChanges,
    refuseRemotes: ctx.profile.noRemoteBases,
    ...(cache !== undefined && { cache }),
  };
  const { objects, diagnostics } = await buildWithRemotes(overlay.files, path, options, {
    fetch: ctx.fetchRemotes,
    signal: ctx.signal,
  });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first !== undefined) {
    const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    throw plumbError('BuildFailed', {
      message: `kustomize build failed: ${first.message}${others}`,
      origin: first,
      ...(first.hint !== undefined && { hint: first.hint }),
    });
  }
  return { value: objects, diagnostics };
}

/** The folder of spec.path below the artifact's root. Throws ArtifactFailed when there is none. */
export function pathOf(kustomization: Kustomization, { files }: Artifact): string {
  const { spec } = kustomization;
  // securejoin never leaves the root: `..` at the top stays there.
  const path = (spec.path ?? '').split('/').reduce<string>((folder, part) => {
    return joinTreePath(folder, part === '' ? '.' : part) ?? '';
  }, '');
  if (files.isFolder(path)) return path;
  throw plumbError('InvalidPath', {
    reason: 'ArtifactFailed',
    message: `kustomization path not found: ${spec.path}: no such file or directory`,
    hint: `correct spec.path of ${formatRef(refOf(kustomization as unknown as KubeObject))}; it is relative to the root of the source`,
  });
}

function requireMacs([first, ...others]: readonly Diagnostic[]): void {
  if (first === undefined) return;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  throw plumbError('BuildFailed', {
    message: `${first.path}: ${first.message}${more}`,
    origin: first,
    hint: 'look at what changed in Git, then save the file with sops (or plumb sops edit); your setting asks for a matching MAC, Flux does not',
  });
}

function requireDecrypted({ object, origins }: BuiltObject): void {
  if (object.apiVersion !== 'v1' || object.kind !== 'Secret' || !isJsonObject(object['sops'] as JsonValue))
    return;
  const optOut = object.metadata.annotations?.['kustomize.toolkit.fluxcd.io/decrypt'];
  if (optOut?.toLowerCase() === 'disabled') return;
  const origin = origins.at('');
  throw plumbError('SecretEncrypted', {
    reason: 'ReconciliationFailed',
    message: `${formatRef(refOf(object as KubeObject))} is SOPS encrypted, configuring decryption is required for this secret to be reconciled`,
    ...(origin !== undefined && { origin }),
    hint: 'set spec.decryption of the Kustomization',
  });
}
