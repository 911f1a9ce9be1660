import { yamlStyle, type YamlNode } from '../../kube/yamlNode.ts';
import { boolean, integer, list, struct, text, textMap, texts, type Decoder, type Shape } from './decode.ts';
import { fieldSpecOf, sourceOf } from './configFiles.ts';
import { contentHash } from './contentHash.ts';
import { generate } from './generators.ts';
import {
  fieldSpecShape,
  generatorArgsFields,
  imageShape,
  patchShape,
  placeOf,
  replacementFieldShape,
  replicaShape,
  selectorShape,
  valueOf,
} from './kustomizationShape.ts';
import type { Loader } from './loader.ts';
import type { MergeSchemas } from './mergeSchema.ts';
import { jsonOfNode } from './nodeJson.ts';
import { nodeOfJson } from './normalize.ts';
import { makeJsonPatch, makePatch, makePatchesStrategicMerge, makeReplacements } from './patchSteps.ts';
import { readYaml } from './patchText.ts';
import { BuildFailure, fail } from './problem.ts';
import { Resource } from './resource.ts';
import { namespaceTransformer } from './transformers/namespaceTransformer.ts';
import { hashTransformer, prefixTransformer, suffixTransformer } from './transformers/nameTransformers.ts';
import { imageTransformer } from './transformers/imageTransformer.ts';
import {
  annotationsTransformer,
  entriesOfMap,
  labelTransformer,
} from './transformers/metadataTransformers.ts';
import { replicaTransformer } from './transformers/replicaTransformer.ts';
import { valueAddTransformer } from './transformers/valueAddTransformer.ts';
import type { Transformer } from './transformer.ts';
import { newMap, newScalar } from './node.ts';

/** What making a plugin needs of the kustomization it belongs to. */
export interface PluginContext {
  readonly loader: Loader;
  schemas(): MergeSchemas;
}

const specs = list(fieldSpecShape);

/** The transformer that an object of a built-in kind configures. Throws BuildFailure for any other kind. */
export function transformerOfPlugin(plugin: Resource, context: PluginContext): Transformer {
  requireBuiltin(plugin);
  const { root } = plugin;
  switch (plugin.kind) {
    case 'AnnotationsTransformer': {
      const { annotations, fieldSpecs } = decode(plugin, struct({ annotations: textMap, fieldSpecs: specs }));
      return annotationsTransformer(entriesOfMap(annotations), (fieldSpecs ?? []).map(fieldSpecOf));
    }
    case 'LabelTransformer': {
      const { labels, fieldSpecs } = decode(plugin, struct({ labels: textMap, fieldSpecs: specs }));
      return labelTransformer(entriesOfMap(labels), (fieldSpecs ?? []).map(fieldSpecOf));
    }
    case 'HashTransformer':
      return hashTransformer(contentHash);
    case 'ImageTagTransformer': {
      const input = decode(plugin, struct({ imageTag: imageShape, fieldSpecs: specs }));
      const empty = imageShape({ strict: false, problems: [] }, newMap(root), '');
      const image = input.imageTag ?? empty;
      if (image === undefined) return fail('kustomization-invalid', 'imageTag is missing', root);
      return imageTransformer(image, (input.fieldSpecs ?? []).map(fieldSpecOf));
    }
    case 'NamespaceTransformer':
      return namespaceOfPlugin(plugin);
    case 'PrefixTransformer':
    case 'SuffixTransformer':
    case 'PrefixSuffixTransformer':
      return affixOfPlugin(plugin);
    case 'ReplicaCountTransformer': {
      const { replica, fieldSpecs } = decode(plugin, struct({ replica: replicaShape, fieldSpecs: specs }));
      if (replica === undefined) return fail('kustomization-invalid', 'replica is missing', root);
      return replicaTransformer(replica, (fieldSpecs ?? []).map(fieldSpecOf));
    }
    case 'PatchTransformer':
      return makePatch(decode(plugin, patchShape), context);
    case 'PatchJson6902Transformer': {
      const input = decode(plugin, struct({ target: selectorShape, path: text, jsonOp: text }));
      const { target, path, jsonOp: patch, node } = input;
      return makeJsonPatch(
        { node, ...(target && { target }), ...(path && { path }), ...(patch && { patch }) },
        context,
      );
    }
    case 'PatchStrategicMergeTransformer': {
      const { paths, patches, node } = decode(plugin, struct({ paths: texts, patches: text }));
      return makePatchesStrategicMerge({ paths: paths ?? [], patches, node }, context);
    }
    case 'ReplacementTransformer': {
      const { replacements } = decode(plugin, struct({ replacements: list(replacementFieldShape) }));
      return makeReplacements(replacements ?? [], context);
    }
    case 'ValueAddTransformer':
      return valueAddOfPlugin(plugin, context);
    default:
      return unknownKind(plugin, 'transformer');
  }
}

/** The objects that a generator of a built-in kind makes. Throws BuildFailure for any other kind. */
export function objectsOfPlugin(plugin: Resource, context: PluginContext): readonly Resource[] {
  requireBuiltin(plugin);
  const metadata = struct({ name: text, namespace: text });
  switch (plugin.kind) {
    case 'ConfigMapGenerator':
    case 'SecretGenerator': {
      const input = decode(plugin, struct({ ...generatorArgsFields, type: text, metadata }));
      const name = input.name ?? input.metadata?.name;
      const namespace = input.namespace ?? input.metadata?.namespace;
      const complete = { ...input, ...(name && { name }), ...(namespace && { namespace }) };
      const kind = plugin.kind === 'SecretGenerator' ? 'Secret' : 'ConfigMap';
      return [generate(kind, complete, undefined, context.loader)];
    }
    case 'IAMPolicyGenerator':
      return [serviceAccountOfPlugin(plugin)];
    case 'HelmChartInflationGenerator':
      return fail(
        'build-not-supported',
        'Helm charts in a kustomization are not supported',
        plugin.root,
        'Flux does not inflate them either; use a HelmRelease',
      );
    default:
      return unknownKind(plugin, 'generator');
  }
}

function requireBuiltin(plugin: Resource): void {
  const { group, version } = plugin.gvk;
  if (group === '' && version === 'builtin') return;
  fail(
    'build-plugin-refused',
    `the plugin ${plugin.kind} is not built in: programs and containers are never run in a build`,
    plugin.root,
    'only apiVersion: builtin is allowed, as in Flux',
  );
}

function unknownKind(plugin: Resource, what: string): never {
  return fail('build-plugin-refused', `there is no built-in ${what} ${plugin.kind}`, plugin.root);
}

/** Reads the fields of a plugin's object; unknown ones are left out, as upstream does. */
function decode<T>(plugin: Resource, shape: Shape<T>): T {
  const decoder: Decoder = { strict: false, problems: [] };
  const printed = nodeOfJson(jsonOfNode(plugin.root), plugin.root, yamlStyle.flow) as YamlNode;
  const input = shape(decoder, printed, plugin.kind);
  const [problem] = decoder.problems.filter(({ severity }) => severity !== 'warning');
  if (problem !== undefined) throw new BuildFailure(problem);
  return input ?? fail('kustomization-invalid', `${plugin.kind} is empty`, plugin.root);
}

function namespaceOfPlugin(plugin: Resource): Transformer {
  const input = decode(
    plugin,
    struct({
      metadata: struct({ namespace: text }),
      fieldSpecs: specs,
      unsetOnly: boolean,
      setRoleBindingSubjects: text,
    }),
  );
  const subjects = valueOf(input.setRoleBindingSubjects) || 'defaultOnly';
  if (subjects !== 'defaultOnly' && subjects !== 'allServiceAccounts' && subjects !== 'none')
    return fail(
      'kustomization-invalid',
      `setRoleBindingSubjects cannot be ${JSON.stringify(subjects)}`,
      placeOf(input.setRoleBindingSubjects, input.node),
      'write defaultOnly, allServiceAccounts or none',
    );
  return namespaceTransformer({
    namespace: valueOf(input.metadata?.namespace),
    place: placeOf(input.metadata?.namespace, input.node),
    fieldSpecs: (input.fieldSpecs ?? []).map(fieldSpecOf),
    unsetOnly: input.unsetOnly?.value ?? false,
    subjects,
  });
}

function affixOfPlugin(plugin: Resource): Transformer {
  const input = decode(plugin, struct({ prefix: text, suffix: text, fieldSpecs: specs }));
  if (input.fieldSpecs === undefined)
    return fail(
      'kustomization-invalid',
      `${plugin.kind} needs fieldSpecs`,
      input.node,
      'add path: metadata/name',
    );
  const fieldSpecs = input.fieldSpecs.map(fieldSpecOf);
  const prefix = prefixTransformer({
    text: valueOf(input.prefix),
    place: placeOf(input.prefix, input.node),
    fieldSpecs,
  });
  const suffix = suffixTransformer({
    text: valueOf(input.suffix),
    place: placeOf(input.suffix, input.node),
    fieldSpecs,
  });
  if (plugin.kind === 'PrefixTransformer') return prefix;
  if (plugin.kind === 'SuffixTransformer') return suffix;
  return { type: plugin.kind, transform: (objects) => suffix.transform(prefix.transform(objects)) };
}

const valueAddTarget = struct({ selector: selectorShape, fieldPath: text, filePathPosition: integer });

function valueAddOfPlugin(plugin: Resource, { loader }: PluginContext): Transformer {
  const fields = { value: text, targets: list(valueAddTarget), targetFilePath: text };
  const input = decode(plugin, struct(fields));
  const targets = [...(input.targets ?? [])];
  if (input.targetFilePath !== undefined && input.targetFilePath.value !== '') {
    const { value: path, node } = input.targetFilePath;
    const root = readYaml(sourceOf(loader, path, loader.load(path, node)));
    const decoder: Decoder = { strict: false, problems: [] };
    const more =
      root === undefined ? undefined : struct({ targets: list(valueAddTarget) })(decoder, root, path);
    targets.push(...(more?.targets ?? []));
  }
  const value = valueOf(input.value).trim() || loader.root.slice(loader.root.lastIndexOf('/') + 1);
  return valueAddTransformer({ value, place: placeOf(input.value, input.node), targets, node: input.node });
}

function serviceAccountOfPlugin(plugin: Resource): Resource {
  const account = struct({ name: text, namespace: text, projectId: text });
  const input = decode(plugin, struct({ cloud: text, kubernetesService: account, serviceAccount: account }));
  if (valueOf(input.cloud) !== 'gke')
    fail(
      'build-not-supported',
      `the cloud ${valueOf(input.cloud)} is not supported`,
      plugin.root,
      'only gke is',
    );
  const at = (name: string, ...items: readonly (readonly [string, string])[]) =>
    [
      newScalar(name, '', plugin.root),
      newMap(
        plugin.root,
        items.flatMap(([key, value]) => [newScalar(key, '', plugin.root), newScalar(value, '', plugin.root)]),
      ),
    ] as const;
  const { serviceAccount, kubernetesService } = input;
  const email = `${valueOf(serviceAccount?.name)}@${valueOf(serviceAccount?.projectId)}.iam.gserviceaccount.com`;
  const namespace = valueOf(kubernetesService?.namespace);
  const [metadataKey, metadata] = at(
    'metadata',
    ['name', valueOf(kubernetesService?.name)],
    ...(namespace === '' ? [] : ([['namespace', namespace]] as const)),
  );
  const annotations = at('annotations', ['iam.gke.io/gcp-service-account', email]);
  return new Resource(
    newMap(plugin.root, [
      newScalar('apiVersion', '', plugin.root),
      newScalar('v1', '', plugin.root),
      newScalar('kind', '', plugin.root),
      newScalar('ServiceAccount', '', plugin.root),
      metadataKey,
      newMap(plugin.root, [...annotations, ...metadata.items]),
    ]),
  );
}
