import type { JsonObject, JsonValue } from '../../base/json.ts';
import { yamlStyle } from '../../kube/yamlNode.ts';
import type { Decoder, Located } from './decode.ts';
import {
  kustomizationShape,
  valueOf,
  type ImageInput,
  type KustomizationInput,
} from './kustomizationShape.ts';
import type { Place } from './node.ts';
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
}

/** The root kustomization as Flux changes it. What the changes set stands at the start of the file. */
export function changeRoot(input: KustomizationInput, changes: RootChanges): KustomizationInput {
  const { namespace, namePrefix, nameSuffix, patches = [], components = [], images = [] } = changes;
  const buildMetadata = metadataOf(input, changes);
  const added = decodeAt(input.node, {
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
    patches: [...(input.patches ?? []), ...(added?.patches ?? [])],
    components: [...(input.components ?? []), ...(added?.components ?? [])],
    images: (added?.images ?? []).reduce(mergeImage, input.images ?? []),
  };
}

function metadataOf(input: KustomizationInput, changes: RootChanges): readonly string[] | undefined {
  const { buildMetadata = [], marksWithoutResources } = changes;
  if (buildMetadata.length > 0) return buildMetadata;
  return marksWithoutResources && (input.resources ?? []).length === 0 ? ['originAnnotations'] : undefined;
}

/** Fields of a kustomization whose values all stand at one place. */
function decodeAt({ source, start }: Place, fields: JsonObject): KustomizationInput | undefined {
  const decoder: Decoder = { strict: false, problems: [] };
  const place: Place = { source, start, end: start };
  return kustomizationShape(decoder, nodeOfJson(fields, undefined, yamlStyle.flow, place), 'spec');
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
