import type { KubeObject } from '../../kube/object.ts';
import type { BuildRun } from './buildRun.ts';
import { contentHash } from './contentHash.ts';
import { requireObject } from './documents.ts';
import type { SortOptionsInput } from './kustomizationShape.ts';
import type { Layer } from './layer.ts';
import { fixReferences } from './nameReferences.ts';
import { fieldAt, nowhere, textAt, type Node } from './node.ts';
import { jsonOfNode } from './nodeJson.ts';
import { appendObjects } from './objectList.ts';
import { fail } from './problem.ts';
import { originAnnotation, transformationsAnnotation } from './provenance.ts';
import { removedAnnotations, setMetaTexts, type Resource } from './resource.ts';
import { sortByKind, sortObjects } from './sortOrder.ts';
import { onEach } from './transformer.ts';
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
  readonly requiresApiVersion: boolean;
  /** Names the build among others of the same cache. */
  readonly name: string;
}

const metadataLabels = { group: '', version: '', kind: '', path: 'metadata/labels', create: true };

/** What upstream does once, when all layers are there: hashes, references, vars, order, and its notes removed. */
export function finishObjects(
  run: BuildRun,
  layer: Layer,
  options: FinishOptions,
): readonly FinishedObject[] {
  const steps = stepsOf(run, options, layer.objects.length);
  let objects = steps.addHashes(layer.objects);
  objects = steps.fixReferences(objects, layer.config);
  objects = resolveVars(objects, layer.vars, layer.config.varReference, run.problems);
  const isKept = steps.forCluster(objects);
  objects = appendObjects(
    [],
    objects.filter((_, index) => isKept[index]),
    undefined,
  );
  objects =
    options.sortOptions === undefined && options.order === 'legacy'
      ? sortByKind(objects)
      : sortObjects(objects, options.sortOptions);
  if (options.metadata.includes('managedByLabel')) objects = markManaged(objects, options.version);
  if (options.requiresApiVersion) requireApiVersions(objects);
  return steps.finish(objects);
}

type Change = (objects: readonly Resource[]) => readonly Resource[];

/** The steps of one build, which keep what they made of objects for its next run. */
interface FinishSteps {
  readonly addHashes: Change;
  readonly fixReferences: (objects: readonly Resource[], config: Layer['config']) => readonly Resource[];
  readonly forCluster: (objects: readonly Resource[]) => readonly boolean[];
  readonly finish: (objects: readonly Resource[]) => readonly FinishedObject[];
}

function stepsOf(run: BuildRun, { metadata, name }: FinishOptions, size: number): FinishSteps {
  const removed = removedFor(metadata);
  const key = `finish:${removed.join(',')}:${name}`;
  let steps = run.cache.recall(key) as FinishSteps | undefined;
  if (steps === undefined) {
    steps = {
      addHashes: hashTransformer(contentHash).transform,
      fixReferences: referenceFixer(),
      forCluster: onEach(isForCluster),
      finish: onEach(finisher(new Set(removed))),
    };
  }
  run.cache.keep(key, steps, size);
  return steps;
}

/** Says which program built the objects; in a controller upstream does not know its own version. */
function markManaged(objects: readonly Resource[], version: string): readonly Resource[] {
  const entry = { key: 'app.kubernetes.io/managed-by', value: `kustomize-${version}`, place: nowhere };
  return labelTransformer([entry], [metadataLabels]).transform(objects);
}

/** References depend on the names of all objects; as long as those stay, what was made of an object can be kept. */
function referenceFixer(): FinishSteps['fixReferences'] {
  let names: readonly string[] = [];
  let config: Layer['config'] | undefined;
  let fix: Change = (objects) => objects;
  return (objects, newConfig) => {
    const newNames = objects.map(({ idSignature }) => idSignature);
    const isSame =
      config === newConfig &&
      names.length === newNames.length &&
      names.every((name, index) => name === newNames[index]);
    if (!isSame) fix = fixReferences(objects, newConfig.nameReference);
    names = newNames;
    config = newConfig;
    return fix(objects);
  };
}

/** Objects marked as local configuration are for kustomize only. */
function isForCluster(object: Resource): boolean {
  requireObject(object.root);
  const mark = object.annotations.get('config.kubernetes.io/local-config');
  return mark === undefined || mark === 'false';
}

/** The annotations that the result has not: all that the build keeps for itself, and what buildMetadata does not ask for. */
function removedFor(metadata: readonly string[]): readonly string[] {
  return [
    ...removedAnnotations,
    ...(metadata.includes('originAnnotations') ? [] : [originAnnotation]),
    ...(metadata.includes('transformerAnnotations') ? [] : [transformationsAnnotation]),
  ];
}

function finisher(removed: ReadonlySet<string>): (object: Resource) => FinishedObject {
  const keepsAll = !removed.has(originAnnotation) && !removed.has(transformationsAnnotation);
  return (object) => {
    if (keepsAll && object.annotations.size === 0) return finished(object);
    const kept = new Map([...object.annotations].filter(([name]) => !removed.has(name)));
    return finished(object.edited((root, edit) => setMetaTexts(root, 'annotations', kept, edit)));
  };
}

/** Refuses objects whose apiVersion is empty: `kustomize build` prints them, Flux does not. */
function requireApiVersions(objects: readonly Resource[]): void {
  const untyped = objects.find(({ root }) => textAt(root, 'apiVersion') === '');
  if (untyped === undefined) return;
  fail(
    'build-invalid-object',
    `the ${untyped.kind} has no apiVersion`,
    fieldAt(untyped.root, 'kind') ?? untyped.root,
    'Flux refuses it; say which API the kind belongs to',
  );
}

/** kind and name are there, though YAML may read them as numbers or booleans. */
function finished({ root }: Resource): FinishedObject {
  return { object: jsonOfNode(root) as KubeObject, root };
}
