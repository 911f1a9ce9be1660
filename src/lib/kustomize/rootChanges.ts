import { canonicalJson, equalJson, type JsonObject, type JsonValue } from '../../base/json.ts';
import { yamlStyle, type YamlNode } from '../../kube/yamlNode.ts';
import { tags } from '../../kube/yamlScalar.ts';
import { jsonOfYaml } from '../../kube/yamlValue.ts';
import type { Decoder, Located } from './decode.ts';
import {
  kustomizationShape,
  valueOf,
  type ImageInput,
  type KustomizationInput,
} from './kustomizationShape.ts';
import { asNode, fieldOf, newMap, newScalar, type Node, type Place } from './node.ts';
import { nodeOfJson } from './normalize.ts';

/** What Flux changes in the root kustomization before it builds it: fields of the Kustomization's spec. */
export interface RootChanges {
  /** Replace those of the file when they are not empty. */
  readonly namespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  /** Come behind those of the file. */
  readonly patches?: readonly JsonValue[];
  readonly components?: readonly string[];
  /** By name: newName replaces, tag and digest are replaced as a unit, others come behind. */
  readonly images?: readonly JsonValue[];
  readonly buildMetadata?: readonly string[];
  /** Upstream marks objects with their origin where a root file lists no resources, so that it is not empty. */
  readonly marksWithoutResources: boolean;
  /** Entries of the file that are passed over; `key` is equal for the same ones. */
  readonly leftOut?: {
    readonly key: string;
    readonly has: (field: 'resources' | 'components' | 'crds', entry: string) => boolean;
  };
  /** The spec as a file has it; absent when no file does. */
  readonly written?: YamlNode;
}

/** Equal for changes that make the same of a root file, with the same origins. */
export function keyOfChanges(changes: RootChanges | undefined): string {
  if (changes === undefined) return '';
  const { written, leftOut, ...values } = changes;
  const key = canonicalJson([values as unknown as JsonObject, leftOut?.key ?? null]);
  if (written === undefined) return key;
  const { path, line, text } = written.source ?? { path: '', line: 0, text: '' };
  return JSON.stringify([key, path, line, written.start, text]);
}

/** Fields of the spec that have another name in a kustomization. */
const writtenNames: Readonly<Record<string, string>> = { namespace: 'targetNamespace' };

/**
 * The root kustomization as Flux changes it. What the changes set stands where the spec is written, else at the start of
 * the file.
 */
export function changeRoot(input: KustomizationInput, changes: RootChanges): KustomizationInput {
  const { namespace, namePrefix, nameSuffix, patches = [], components = [], images = [] } = changes;
  const buildMetadata = metadataOf(input, changes);
  const kept = (field: 'resources' | 'components' | 'crds') =>
    (input[field] ?? []).filter(({ value }) => changes.leftOut?.has(field, value) !== true);
  const added = decodeChanges(changes.written ?? input.node, changes.written, {
    ...(isSet(namespace) && { namespace }),
    ...(isSet(namePrefix) && { namePrefix }),
    ...(isSet(nameSuffix) && { nameSuffix }),
    ...(buildMetadata !== undefined && { buildMetadata }),
    patches,
    components,
    images,
  });
  return {
    ...input,
    ...added,
    node: input.node,
    resources: kept('resources'),
    crds: kept('crds'),
    patches: [...(input.patches ?? []), ...(added?.patches ?? [])],
    components: [...kept('components'), ...(added?.components ?? [])],
    images: (added?.images ?? []).reduce(mergeImage, input.images ?? []),
  };
}

function metadataOf(input: KustomizationInput, changes: RootChanges): readonly string[] | undefined {
  const { buildMetadata = [], marksWithoutResources } = changes;
  if (buildMetadata.length > 0) return buildMetadata;
  return marksWithoutResources && (input.resources ?? []).length === 0 ? ['originAnnotations'] : undefined;
}

/** Fields of a kustomization; a value that is written as it is has its places, others stand at the start of `around`. */
function decodeChanges(
  around: YamlNode,
  written: YamlNode | undefined,
  fields: JsonObject,
): KustomizationInput | undefined {
  const { source, start } = around;
  const place: Place = { source, start, end: start };
  const items = Object.entries(fields).flatMap(([name, value]): readonly Node[] => {
    const node = written && fieldOf(asNode(written), writtenNames[name] ?? name);
    const isWritten = node !== undefined && equalJson(jsonOfYaml(node as YamlNode, []), value);
    return [
      newScalar(name, tags.str, place),
      isWritten ? node : nodeOfJson(value as JsonValue, undefined, yamlStyle.flow, node ?? place),
    ];
  });
  const decoder: Decoder = { strict: false, problems: [] };
  return kustomizationShape(decoder, newMap(place, items) as YamlNode, 'spec');
}

function mergeImage(images: readonly ImageInput[], image: ImageInput): readonly ImageInput[] {
  const index = images.findIndex(({ name }) => valueOf(name) === valueOf(image.name));
  const present = images[index];
  if (present === undefined) return [...images, image];
  const { newTag, digest, ...rest } = present;
  const hasVersion = isGiven(image.newTag) || isGiven(image.digest);
  const version = hasVersion ? image : { newTag, digest };
  return images.with(index, {
    ...rest,
    ...(isGiven(image.newName) && { newName: image.newName }),
    ...(version.newTag !== undefined && { newTag: version.newTag }),
    ...(version.digest !== undefined && { digest: version.digest }),
  });
}

function isGiven(located: Located<string> | undefined): located is Located<string> {
  return isSet(located?.value);
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
