import { absorbObjects } from './absorb.ts';
import type { BuildRun } from './buildRun.ts';
import { readChangedRoot } from './changedRoot.ts';
import { configOf, configOfCrds } from './configFiles.ts';
import type { Located } from './decode.ts';
import { generate } from './generators.ts';
import type { KustomizationFile } from './kustomizationFile.ts';
import { knownFiles, objectsOfFile, readLayerFile, remembered, type LayerInput } from './layerFiles.ts';
import { stepsOf } from './layerSteps.ts';
import { requireObjectCount } from './limits.ts';
import type { Dependencies, Loader } from './loader.ts';
import { appendObjects } from './objectList.ts';
import { helmProblems, inlineObjects, requireSame } from './layerChecks.ts';
import { objectsOfPlugin, transformerOfPlugin, type PluginContext } from './plugins.ts';
import type { BuildProblem } from './problem.ts';
import {
  annotateMissingOrigin,
  annotateOrigin,
  annotateTransformation,
  appendPath,
  configuredBy,
  provenanceOfPlugin,
  type Provenance,
} from './provenance.ts';
import { isEmpty } from './node.ts';
import type { Resource } from './resource.ts';
import { emptyConfig, mergeConfigs, type TransformerConfig } from './transformerConfig.ts';
import { joinSteps, type Transformer } from './transformer.ts';
import { bindVars, mergeVars, type VarSet } from './vars.ts';
import { setSchemas } from './ownSchemas.ts';

/** What a kustomization hands to the one that uses it. */
export interface Layer {
  readonly objects: readonly Resource[];
  readonly config: TransformerConfig;
  readonly vars: VarSet;
}

export const emptyLayer: Layer = { objects: [], config: emptyConfig, vars: new Map() };

/**
 * Builds a kustomization on top of `start`, which is empty but for components. Problems are collected in the run; once
 * there are any, what would work on an incomplete set of objects is left out.
 */
export function buildLayer(input: LayerInput, start: Layer): Layer {
  const { run, loader, file } = input;
  const kustomization = file.input;
  let layer = addResources(input, start, [
    ...(kustomization.resources ?? []),
    ...(kustomization.bases ?? []),
  ]);
  const own = run.attempt(() =>
    remembered(input, 'config', () => configOf(loader, kustomization.configurations ?? [])),
  );
  const crds = run.attempt(() =>
    remembered(input, 'crds', () => configOfCrds(loader, kustomization.crds ?? [])),
  );
  let config = layer.config;
  for (const more of [own, crds])
    if (more !== undefined) config = run.attempt(() => mergeConfigs(config, more, file.input.node)) ?? config;
  layer = { ...layer, config };
  layer = addGenerated(input, layer);
  layer = addComponents(input, layer, kustomization.components ?? []);
  layer = transformLayer(input, layer);
  return addVars(input, layer);
}

/** Reads the kustomization of a folder and checks that it is of the wanted kind; undefined when it cannot be used. */
export function openLayer(
  run: BuildRun,
  loader: Loader,
  wanted: {
    readonly component: boolean;
    readonly place: Located<string> | undefined;
    readonly isRoot: boolean;
  },
): KustomizationFile | undefined {
  const { rootChanges } = run;
  const file =
    wanted.isRoot && rootChanges !== undefined
      ? readChangedRoot(run, loader, rootChanges)
      : readLayerFile(run, loader);
  if (file === undefined) return undefined;
  run.problems.push(...file.warnings);
  run.attempt(() => setSchemas(run, loader, file.input.openapi, wanted.isRoot));
  if (file.isComponent === wanted.component || wanted.isRoot) return file;
  const { place } = wanted;
  run.problems.push({
    code: 'kustomization-invalid',
    message: wanted.component
      ? `${place?.value ?? ''} is a kustomization, not a component`
      : `${place?.value ?? ''} is a component`,
    place: place?.node ?? file.input.node,
    hint: wanted.component
      ? 'list it under resources, or set kind: Component there'
      : 'list it under components',
  });
  return undefined;
}

function addResources(input: LayerInput, start: Layer, paths: readonly Located<string>[]): Layer {
  const { run } = input;
  let { config, vars } = start;
  const groups: { readonly objects: readonly Resource[]; readonly path: Located<string> }[] = [];
  const known = knownFiles(input, paths);
  for (const [index, path] of paths.entries()) {
    run.attempt(() => {
      const objects = objectsOfFile(input, path, known, index);
      if (objects !== undefined) {
        groups.push({ objects, path });
        return;
      }
      const below = buildBelow(input, path);
      if (below === undefined) return;
      groups.push({ objects: below.objects, path });
      const count = groups.reduce((sum, { objects: more }) => sum + more.length, start.objects.length);
      requireObjectCount(count, path.node);
      config = mergeConfigs(config, below.config, path.node);
      vars = mergeVars(vars, below.vars);
    });
  }
  return { objects: joinGroups(run, start.objects, groups), config, vars };
}

function joinGroups(
  run: BuildRun,
  start: readonly Resource[],
  groups: readonly { readonly objects: readonly Resource[]; readonly path: Located<string> }[],
): readonly Resource[] {
  const [only] = groups;
  if (start.length === 0 && groups.length === 1 && only !== undefined)
    return run.attempt(() => appendObjects([], only.objects, only.path.node)) ?? [];
  const known = new Set(start.map(({ id }) => id.key));
  const all = [...start];
  for (const { objects, path } of groups)
    for (const object of objects) {
      if (known.has(object.id.key)) run.attempt(() => appendObjects(all, [object], path.node));
      known.add(object.id.key);
      all.push(object);
    }
  return all;
}

interface KnownLayer {
  readonly dependencies: Dependencies;
  readonly layer: Layer;
  readonly schemaUse: BuildRun['builtinSchemaUse'];
  readonly warnings: readonly BuildProblem[];
}

/** The layer of a folder or repository below, from the cache when nothing it was made from has changed. */
function buildBelow(input: LayerInput, path: Located<string>): Layer | undefined {
  const { run, provenance } = input;
  const loader = input.loader.descend(path.value, path.node);
  if (loader === undefined) return undefined;
  const below = run.tracksProvenance ? appendPath(provenance, path.value) : provenance;
  const key = `layer:${run.rules}:${JSON.stringify(below)}:${loader.label}${loader.root}`;
  run.countLayer(path.node);
  if (run.isDone(key)) return undefined;
  const known = run.cache.recall(key) as KnownLayer | undefined;
  if (known !== undefined && !run.hasOwnSchemas && run.isUnchanged(known.dependencies)) {
    run.recordAll(known.dependencies);
    run.problems.push(...known.warnings);
    run.noteSchemaUse(known.schemaUse);
    return known.layer;
  }
  const before = run.problems.length;
  const { value: layer, dependencies } = run.recording(() => {
    const file = openLayer(run, loader, { component: false, place: path, isRoot: false });
    return file === undefined
      ? undefined
      : buildLayer({ run, loader, file, provenance: below, name: loader.root }, emptyLayer);
  });
  if (layer !== undefined && !run.hasFailed && !run.hasOwnSchemas)
    run.cache.keep(
      key,
      { dependencies, layer, schemaUse: run.builtinSchemaUse, warnings: run.problems.slice(before) },
      layer.objects.length,
    );
  return layer;
}

function addComponents(input: LayerInput, start: Layer, paths: readonly Located<string>[]): Layer {
  const { run, provenance } = input;
  let layer = start;
  for (const path of paths) {
    run.attempt(() => {
      const loader = input.loader.descend(path.value, path.node);
      if (loader === undefined) return;
      run.countLayer(path.node);
      const file = openLayer(run, loader, { component: true, place: path, isRoot: false });
      if (file === undefined) return;
      const below = run.tracksProvenance ? appendPath(provenance, path.value) : provenance;
      const built = buildLayer(
        { run, loader, file, provenance: below, name: `${input.name} ${loader.root}` },
        layer,
      );
      // Merged into nothing, as upstream does: of two specs for one field the one that comes first in its order is left.
      const config = mergeConfigs(emptyConfig, built.config, path.node);
      layer = { ...built, config, objects: appendObjects([], built.objects, path.node) };
    });
  }
  return layer;
}

function addGenerated(input: LayerInput, start: Layer): Layer {
  const { run, loader, file, provenance } = input;
  const { configMapGenerator = [], secretGenerator = [], generatorOptions } = file.input;
  let { objects } = start;
  const absorb = (made: readonly Resource[], kind: string, place: Located<string>['node']) => {
    const origin = configuredBy(provenance, file.name, kind);
    const marked = run.tracksProvenance ? made.map((object) => annotateMissingOrigin(object, origin)) : made;
    objects = absorbObjects(objects, marked, place);
  };
  const addOne = (kind: 'ConfigMap' | 'Secret', index: number) => {
    const entry = (kind === 'Secret' ? secretGenerator : configMapGenerator)[index];
    if (entry === undefined) return;
    run.attempt(() => {
      const object = remembered(input, `${kind}${index}`, () =>
        generate(kind, entry, generatorOptions, loader),
      );
      absorb([object], `${kind}Generator`, entry.node);
    });
  };
  configMapGenerator.forEach((_, index) => addOne('ConfigMap', index));
  secretGenerator.forEach((_, index) => addOne('Secret', index));
  run.problems.push(...helmProblems(file.input));
  run.attempt(() => {
    const context = pluginContext(input);
    for (const plugin of pluginsOf(input, file.input.generators ?? []).objects) {
      const made = objectsOfPlugin(plugin, context);
      const origin = provenanceOfPlugin(plugin);
      const marked =
        origin === undefined ? made : made.map((object) => annotateMissingOrigin(object, origin));
      objects = absorbObjects(objects, marked, plugin.root);
    }
  });
  return { ...start, objects };
}

function pluginContext({ run, loader }: LayerInput): PluginContext {
  return { loader, schemas: () => run.schemas };
}

/** The objects that configure generators, transformers or validators: written inline, in files or built by folders. */
function pluginsOf(input: LayerInput, entries: readonly Located<string>[]): Layer {
  const paths: Located<string>[] = [];
  let objects: readonly Resource[] = [];
  for (const entry of entries) {
    const inline = inlineObjects(entry);
    if (inline === undefined) {
      paths.push(entry);
      continue;
    }
    const origin = appendPath(input.provenance, input.file.name);
    const marked = input.run.tracksProvenance
      ? inline.map((object) => annotateOrigin(object, origin))
      : inline;
    objects = appendObjects(objects, marked, entry.node);
  }
  return paths.length === 0
    ? { ...emptyLayer, objects }
    : addResources(input, { ...emptyLayer, objects }, paths);
}

interface Step {
  readonly transformer: Transformer;
  readonly provenance: Provenance | undefined;
}

function transformLayer(input: LayerInput, layer: Layer): Layer {
  const { run, file } = input;
  const steps =
    run.attempt(() =>
      remembered(input, 'steps', () => makeSteps(input, layer.config), {
        config: layer.config,
        size: layer.objects.length,
      }),
    ) ?? [];
  if (run.hasFailed) return layer;
  let { objects } = layer;
  const isDone = run.attempt(() => {
    for (const { transformer, provenance } of steps) {
      if (transformer.usesSchemas === true) run.noteSchemaUse('merged');
      objects = transformer.transform(objects);
      if (provenance !== undefined)
        objects = objects.map((object) => annotateTransformation(object, provenance));
      if (objects.some(({ root }) => isEmpty(root))) objects = objects.filter(({ root }) => !isEmpty(root));
    }
    return true;
  });
  if (isDone === true && (file.input.validators ?? []).length > 0)
    run.attempt(() => validate(input, objects, file.input.validators ?? []));
  return { ...layer, objects };
}

function makeSteps(input: LayerInput, config: TransformerConfig): readonly Step[] {
  const { run, file, provenance } = input;
  const context = pluginContext(input);
  const given = stepsOf(file.input, config, context, run.problems);
  const builtin = (run.tracksProvenance ? given : joinSteps(given)).map((transformer) => ({
    transformer,
    provenance: run.tracksProvenance ? configuredBy(provenance, file.name, transformer.type) : undefined,
  }));
  const plugins = pluginsOf(input, file.input.transformers ?? []).objects.map((plugin) => ({
    transformer: transformerOfPlugin(plugin, context),
    provenance: provenanceOfPlugin(plugin),
  }));
  return [...builtin, ...plugins];
}

/** Validators may look, not change; built-in ones only change. */
function validate(
  input: LayerInput,
  objects: readonly Resource[],
  entries: readonly Located<string>[],
): void {
  for (const plugin of pluginsOf(input, entries).objects)
    requireSame(plugin, objects, transformerOfPlugin(plugin, pluginContext(input)).transform(objects));
}

function addVars({ run, file }: LayerInput, layer: Layer): Layer {
  const { vars = [] } = file.input;
  if (vars.length === 0 || run.hasFailed) return layer;
  const bound = run.attempt(() => {
    const { objects, vars: named } = bindVars(layer.objects, vars);
    return { ...layer, objects, vars: mergeVars(layer.vars, named) };
  });
  return bound ?? layer;
}
