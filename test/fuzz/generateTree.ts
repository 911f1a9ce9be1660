import type { JsonObject, JsonValue } from '../../src/base/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { FileStyle, FuzzFile, FuzzTree } from './fuzzTree.ts';
import { images, labels, names, namespaces, randomObject, text } from './objects.ts';
import { randomPatch, strategicPatch } from './patches.ts';
import { randomOf, type Random } from './random.ts';
import { rareFields, withFields } from './rareFields.ts';
import { builtinTransformers, replacement, vars } from './transformers.ts';

/** What the kustomizations below a folder give, roughly: the objects by their names in the files. */
interface Layer {
  readonly folder: string;
  readonly objects: readonly KubeObject[];
  /** `Kind/name` of what generators made. */
  readonly generated: readonly string[];
}

type AddFile = (documents: readonly JsonValue[], style?: FileStyle) => string;

/** What the layers of one tree share. */
interface Draft {
  readonly random: Random;
  /** Decides on rare things, so that the rest of a tree does not depend on which of them there are. */
  readonly rare: Random;
  /** Few trees have rare fields: with those most are refused, and a refused tree compares little. */
  readonly isRare: boolean;
  readonly files: Record<string, FuzzFile>;
  /** The identities of all objects. */
  readonly taken: Set<string>;
}

/** A random tree of overlays: bases, layers above them, components. The same seed gives the same tree. */
export function generateTree(seed: number): FuzzTree {
  const random = randomOf(seed);
  const rare = randomOf(seed + 1_000_000_007);
  const files: Record<string, FuzzFile> = {};
  const draft: Draft = { random, rare, isRare: rare.chance(30), files, taken: new Set() };
  const bases = Array.from({ length: 1 + random.below(2) }, (_, index) =>
    makeLayer(draft, `base${index}`, [], 'Kustomization'),
  );
  const middle = random.chance(50) ? [makeLayer(draft, 'middle', bases, 'Kustomization')] : bases;
  const components = random.chance(30) ? makeComponents(draft, middle) : [];
  const top = makeLayer(draft, 'top', middle, 'Kustomization', components);
  if (!random.chance(50)) return { path: top.folder, files };
  const later = rare.chance(15) ? [makeLayer(draft, 'later', [top], 'Component')] : [];
  return { path: top.folder, files, spec: fluxSpec(draft, top.objects, later) };
}

/** A component, sometimes with one inside it or another behind it. */
function makeComponents(draft: Draft, below: readonly Layer[]): readonly Layer[] {
  const inner = draft.rare.chance(25) ? [makeLayer(draft, 'inner', below, 'Component')] : [];
  const component = makeLayer(draft, 'component', below, 'Component', inner);
  return draft.rare.chance(25) ? [component, makeLayer(draft, 'second', below, 'Component')] : [component];
}

function makeLayer(
  draft: Draft,
  folder: string,
  below: readonly Layer[],
  kind: 'Kustomization' | 'Component',
  components: readonly Layer[] = [],
): Layer {
  const { random, rare, isRare, files, taken } = draft;
  const own =
    kind === 'Kustomization' && below.length > 0 && random.chance(60) ? [] : ownObjects(random, taken);
  const inherited = below.flatMap((layer) => layer.objects);
  const objects = kind === 'Component' ? [...inherited, ...own] : [...own, ...inherited];
  let counter = 0;
  const addFile = (documents: readonly JsonValue[], wanted?: FileStyle): string => {
    const style =
      wanted ??
      random.pick<FileStyle>(documents.length === 1 ? ['block', 'flow', 'json', 'block'] : ['block', 'flow']);
    const name = `f${counter++}.${style === 'json' ? 'json' : 'yaml'}`;
    files[`${folder}/${name}`] = { documents, style };
    return name;
  };
  const addText = (content: string): string => {
    const name = `f${counter++}.yaml`;
    files[`${folder}/${name}`] = content;
    return name;
  };
  const resources = [
    ...(kind === 'Kustomization' ? below.map((layer) => `../${layer.folder}`) : []),
    ...splitIntoFiles(random, own, addFile),
  ];
  const known = below.flatMap((layer) => layer.generated);
  const plain = objects.map(({ kind: objectKind, metadata }) => `${objectKind}/${metadata.name}`);
  const generators = [
    generatorField(random, 'configMapGenerator', known, plain, addFile),
    generatorField(random, 'secretGenerator', known, plain, addFile),
  ];
  const kustomization: JsonObject = {
    apiVersion: `kustomize.config.k8s.io/${kind === 'Component' ? 'v1alpha1' : 'v1beta1'}`,
    kind,
    ...(resources.length > 0 && { resources }),
    ...(components.length > 0 && { components: components.map((layer) => `../${layer.folder}`) }),
    ...generators[0]?.fields,
    ...generators[1]?.fields,
    ...transformations(random, objects, addFile),
  };
  const more = isRare ? rareFields(rare, objects, folder, { documents: addFile, text: addText }) : {};
  const name = rare.chance(90) ? 'kustomization.yaml' : rare.pick(['kustomization.yml', 'Kustomization']);
  const style = rare.pick<FileStyle>(['block', 'block', 'block', 'flow', 'json']);
  files[`${folder}/${name}`] = { documents: [withFields(kustomization, more)], style };
  return { folder, objects, generated: [...known, ...generators.flatMap(({ made }) => made)] };
}

/** New objects; their identities join `taken`, and hardly any is there already. */
function ownObjects(random: Random, taken: Set<string>): KubeObject[] {
  const objects: KubeObject[] = [];
  for (let count = 1 + random.below(6); count > 0; count--) {
    const object = randomObject(random);
    if (taken.has(identity(object)) && !random.chance(2)) continue;
    taken.add(identity(object));
    objects.push(object);
  }
  return objects;
}

function identity({ apiVersion, kind, metadata }: KubeObject): string {
  return [apiVersion, kind, metadata.name].join(' ');
}

function splitIntoFiles(random: Random, objects: readonly KubeObject[], addFile: AddFile): string[] {
  const paths: string[] = [];
  for (let rest = [...objects]; rest.length > 0;) {
    const taken = rest.splice(0, 1 + random.below(3));
    const asList = random.chance(5);
    paths.push(addFile(asList ? [{ apiVersion: 'v1', kind: 'List', items: taken }] : taken));
  }
  return paths;
}

function generatorField(
  random: Random,
  field: 'configMapGenerator' | 'secretGenerator',
  known: readonly string[],
  plain: readonly string[],
  addFile: AddFile,
): { readonly fields: JsonObject; readonly made: readonly string[] } {
  const kind = field === 'configMapGenerator' ? 'ConfigMap' : 'Secret';
  const chosen = random.chance(35) ? random.some(['generated', 'conf'], 60) : [];
  const entries = chosen.flatMap((name): JsonObject[] => {
    const exists = known.includes(`${kind}/${name}`);
    const clashes = plain.includes(`${kind}/${name}`);
    if (clashes && !random.chance(5)) return [];
    const behavior =
      exists !== random.chance(3) ? { behavior: random.pick(['merge', 'merge', 'replace']) } : {};
    return [{ name, ...behavior, ...generatorContent(random, field, exists, addFile) }];
  });
  return {
    fields: entries.length === 0 ? {} : { [field]: entries },
    made: entries.map(({ name }) => `${kind}/${String(name)}`),
  };
}

function generatorContent(
  random: Random,
  field: 'configMapGenerator' | 'secretGenerator',
  exists: boolean,
  addFile: AddFile,
): JsonObject {
  const literals = ['k=v', 'a=1', 'b="quoted"', `t=${text(random)}`, 'e='];
  return {
    ...(random.chance(80) && { literals: random.some(literals, 60) }),
    ...(random.chance(20) && { files: [`key=${addFile([{ a: 1 }])}`] }),
    ...(random.chance(20) && {
      options: {
        ...(random.chance(50) && { disableNameSuffixHash: true }),
        ...(random.chance(40) && { labels: labels(random) }),
        ...(random.chance(30) && { immutable: true }),
      },
    }),
    ...(!exists && random.chance(6) && { namespace: random.pick(namespaces) }),
    ...(field === 'secretGenerator' && random.chance(20) && { type: 'Opaque' }),
  };
}

function transformations(random: Random, objects: readonly KubeObject[], addFile: AddFile): JsonObject {
  const patchable = objects.length > 0;
  return {
    ...(random.chance(25) && { namespace: random.pick(namespaces) }),
    ...(random.chance(25) && { namePrefix: random.pick(['a-', 'pre-']) }),
    ...(random.chance(20) && { nameSuffix: random.pick(['-z', '-v2']) }),
    ...(random.chance(20) && { commonLabels: labels(random) }),
    ...(random.chance(20) && { commonAnnotations: { note: text(random) } }),
    ...(random.chance(20) && { labels: [labelEntry(random)] }),
    ...(patchable &&
      random.chance(45) && {
        patches: Array.from({ length: 1 + random.below(2) }, () => randomPatch(random, objects, addFile)),
      }),
    ...(patchable &&
      random.chance(8) && {
        patchesStrategicMerge: [addFile([strategicPatch(random, random.pick(objects))])],
      }),
    ...(random.chance(25) && {
      images: random
        .some(['nginx', 'redis', 'registry.example.org:5000/team/app', 'docker.io/library/busybox'], 50)
        .map((name) => imageEntry(random, name)),
    }),
    ...(patchable && random.chance(15) && { replicas: replicaEntries(random, objects) }),
    ...(patchable && random.chance(20) && { replacements: [replacement(random, objects)] }),
    ...(patchable && random.chance(6) && { vars: vars(random, objects) }),
    ...(random.chance(12) && { transformers: [addFile(builtinTransformers(random))] }),
    ...(random.chance(8) && {
      generatorOptions: { disableNameSuffixHash: random.chance(50), labels: labels(random) },
    }),
    ...(random.chance(10) && { sortOptions: { order: random.pick(['fifo', 'legacy']) } }),
    ...(random.chance(8) && {
      buildMetadata: random.some(['originAnnotations', 'transformerAnnotations', 'managedByLabel'], 60),
    }),
  };
}

function labelEntry(random: Random): JsonObject {
  return {
    pairs: labels(random),
    ...(random.chance(30) && { includeSelectors: true }),
    ...(random.chance(30) && { includeTemplates: true }),
    ...(random.chance(15) && { fields: [{ path: 'spec/labels', create: true, kind: 'Widget' }] }),
  };
}

function imageEntry(random: Random, name: string): JsonObject {
  return {
    name,
    ...(random.chance(50) && { newName: random.pick(['mirror.example.org/x', 'y']) }),
    ...(random.chance(60) && { newTag: random.pick(['v2', '1.0']) }),
    ...(random.chance(15) && { digest: (images[3] as string).split('@')[1] as string }),
  };
}

function replicaEntries(random: Random, objects: readonly KubeObject[]): JsonValue {
  const scalable = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  if (scalable.length === 0) return [];
  return [{ name: random.pick(scalable).metadata.name, count: random.below(9) }];
}

/** The parts of a Flux Kustomization's spec that change a build. */
function fluxSpec(
  { random, rare }: Draft,
  objects: readonly KubeObject[],
  components: readonly Layer[],
): JsonObject {
  const missing = rare.chance(5) ? ['../missing'] : [];
  const paths = [...components.map(({ folder }) => `../${folder}`), ...missing];
  return {
    ...(paths.length > 0 && { components: paths }),
    ...(rare.chance(missing.length > 0 ? 70 : 3) && { ignoreMissingComponents: true }),
    ...(random.chance(30) && { targetNamespace: random.pick(namespaces) }),
    ...(random.chance(20) && { namePrefix: 'fp-' }),
    ...(random.chance(20) && { nameSuffix: '-fs' }),
    ...(random.chance(25) && { images: [imageEntry(random, 'nginx')] }),
    ...(objects.length > 0 &&
      random.chance(25) && {
        patches: [{ patch: { $inline: strategicPatch(random, random.pick(objects)) } }],
      }),
    ...(random.chance(40) && {
      postBuild: {
        substitute: { VAR: random.pick(['value', '1', 'true', 'a: b', '']), name: random.pick(names) },
      },
    }),
  };
}
