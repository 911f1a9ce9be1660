import { isKubeObject, type KubeObject } from '../../kube/object.ts';
import type { BuildRun } from './buildRun.ts';
import { contentHash } from './contentHash.ts';
import { requireObject } from './documents.ts';
import type { SortOptionsInput } from './kustomizationShape.ts';
import type { Layer } from './layer.ts';
import { fixReferences } from './nameReferences.ts';
import { nowhere, type Node } from './node.ts';
import { jsonOfFinishedNode } from './nodeJson.ts';
import { appendObjects } from './objectList.ts';
import { fail } from './problem.ts';
import { originAnnotation, transformationsAnnotation } from './provenance.ts';
import { formatResId } from './resId.ts';
import { removedAnnotations, setMetaTexts, type Resource } from './resource.ts';
import { sortByKind, sortObjects } from './sortOrder.ts';
import { mapObjects, remembered } from './transformer.ts';
import { hashTransformer } from './transformers/nameTransformers.ts';
import { labelTransformer } from './transformers/metadataTransformers.ts';
import { resolveVars } from './vars.ts';

/** One object of the result, as JSON and as nodes that know where they come from. */
export interface FinishedObject {
  readonly object: KubeObject;
  readonly root: Node;
}

export interface FinishOptions {
  /** The entries of buildMetadata. */
  readonly metadata: readonly string[];
  readonly order: 'listed' | 'legacy';
  readonly sortOptions: SortOptionsInput | undefined;
  /** What managedByLabel calls the version of kustomize. */
  readonly version: string;
  /** Names the build among others of the same cache. */
  readonly name: string;
}

const addHashes = hashTransformer(contentHash);
const metadataLabels = { group: '', version: '', kind: '', path: 'metadata/labels', create: true };

/** What upstream does once, when all layers are there: hashes, references, vars, order, and its notes removed. */
export function finishObjects(
  run: BuildRun,
  layer: Layer,
  options: FinishOptions,
): readonly FinishedObject[] {
  let objects = addHashes.transform(layer.objects);
  objects = referencesFixed(run, objects, layer, options.name);
  objects = resolveVars(objects, layer.vars, layer.config.varReference, run.problems);
  objects = appendObjects([], objects.filter(isForCluster), undefined);
  objects =
    options.sortOptions === undefined && options.order === 'legacy'
      ? sortByKind(objects)
      : sortObjects(objects, options.sortOptions);
  if (options.metadata.includes('managedByLabel')) objects = markManaged(objects, options.version);
  const keepsOrigin = options.metadata.includes('originAnnotations');
  const keepsTransformations = options.metadata.includes('transformerAnnotations');
  const strip = strippers[keepsOrigin ? 1 : 0]?.[keepsTransformations ? 1 : 0];
  if (strip !== undefined) objects = mapObjects(objects, strip);
  return objects.map(finished);
}

/** Says which program built the objects; in a controller upstream does not know its own version. */
function markManaged(objects: readonly Resource[], version: string): readonly Resource[] {
  const entry = { key: 'app.kubernetes.io/managed-by', value: `kustomize-${version}`, place: nowhere };
  return labelTransformer([entry], [metadataLabels]).transform(objects);
}

interface KnownReferences {
  readonly signature: string;
  readonly config: Layer['config'];
  readonly results: WeakMap<Resource, Resource>;
}

/** References depend on the names of all objects; as long as those stay, the work on an object can be kept. */
function referencesFixed(
  run: BuildRun,
  objects: readonly Resource[],
  { config }: Layer,
  name: string,
): readonly Resource[] {
  const signature = objects.map((object) => object.idSignature).join('\n');
  const key = `references:${name}`;
  const known = run.cache.memos.get(key) as KnownReferences | undefined;
  const isValid = known?.signature === signature && known.config === config;
  const results = isValid ? known.results : new WeakMap<Resource, Resource>();
  if (!isValid) run.cache.memos.set(key, { signature, config, results } satisfies KnownReferences);
  return fixReferences(objects, config.nameReference, results);
}

/** Objects marked as local configuration are for kustomize only. */
function isForCluster(object: Resource): boolean {
  requireObject(object.root);
  const mark = object.annotations.get('config.kubernetes.io/local-config');
  return mark === undefined || mark === 'false';
}

function stripper(keepsOrigin: boolean, keepsTransformations: boolean): (object: Resource) => Resource {
  const removed = new Set([
    ...removedAnnotations,
    ...(keepsOrigin ? [] : [originAnnotation]),
    ...(keepsTransformations ? [] : [transformationsAnnotation]),
  ]);
  return remembered((object) => {
    if (keepsOrigin && keepsTransformations && object.annotations.size === 0) return object;
    const kept = new Map([...object.annotations].filter(([name]) => !removed.has(name)));
    return object.edited((root, edit) => setMetaTexts(root, 'annotations', kept, edit));
  });
}

const strippers = [
  [stripper(false, false), stripper(false, true)],
  [stripper(true, false), stripper(true, true)],
] as const;

const finished = remembered((resource): FinishedObject => {
  const object = jsonOfFinishedNode(resource.root);
  if (!isKubeObject(object))
    return fail(
      'build-invalid-object',
      `${formatResId(resource.id)} lacks an apiVersion, or its kind or name is no text`,
      resource.root,
    );
  return { object, root: resource.root };
});
