import type { YamlText } from '../../kube/yamlNode.ts';
import type { Located } from './decode.ts';
import type { KustomizationInput } from './kustomizationShape.ts';
import { keyIndex, type Node } from './node.ts';
import { inlineSource } from './patchSteps.ts';
import { parseMergePatches } from './patchText.ts';
import { BuildFailure, fail, type BuildProblem } from './problem.ts';
import { setMetaTexts, type Resource } from './resource.ts';

/** The problems of a kustomization that asks for Helm charts. */
export function helmProblems(input: KustomizationInput): readonly BuildProblem[] {
  const { helmCharts = [], helmChartInflationGenerator = [] } = input;
  const [chart] = [...helmCharts, ...helmChartInflationGenerator];
  if (chart === undefined) return [];
  return [
    {
      code: 'build-not-supported',
      message: 'Helm charts in a kustomization are not supported',
      place: chart.node,
      hint: 'Flux does not inflate them either; use a HelmRelease',
    },
  ];
}

/** The objects that an entry of generators, transformers or validators holds itself; undefined when it is a path. */
export function inlineObjects(entry: Located<string>): readonly Resource[] | undefined {
  try {
    return parseMergePatches(inlineSource(entry));
  } catch (error) {
    if (error instanceof BuildFailure) return undefined;
    throw error;
  }
}

/**
 * Refuses a validator that wrote to an object. Upstream compares the nodes with the places they were read from, so a value
 * that is set to what it was counts, too, unless the build itself had set it.
 */
export function requireSame(plugin: Resource, before: readonly Resource[], after: readonly Resource[]): void {
  const isSame =
    before.length === after.length &&
    before.every(({ root }, index) =>
      isSameNode(root, withoutMark(after[index] as Resource).root, textOf(root)),
    );
  if (!isSame) fail('kustomization-invalid', `the validator ${plugin.kind} changes objects`, plugin.root);
}

/** The text an object was read from; undefined for one that a generator made, whose nodes stand where that is configured. */
function textOf(root: Node): YamlText | undefined {
  const kind = root.items[keyIndex(root, 'kind')];
  const isRead = kind?.source?.text.slice(kind.start, kind.end).includes('kind') === true;
  return isRead ? root.source : undefined;
}

function isSameNode(left: Node, right: Node, source: YamlText | undefined): boolean {
  if (left === right) return true;
  const isRead = source !== undefined && left.source === source;
  return (
    left.kind === right.kind &&
    left.tag === right.tag &&
    left.style === right.style &&
    left.text === right.text &&
    (!isRead || (right.source === source && left.start === right.start)) &&
    left.items.length === right.items.length &&
    left.items.every((item, index) => isSameNode(item, right.items[index] as Node, source))
  );
}

function withoutMark(object: Resource): Resource {
  if (!object.labels.has('validated-by')) return object;
  const labels = new Map([...object.labels].filter(([name]) => name !== 'validated-by'));
  return object.edited((root, edit) => setMetaTexts(root, 'labels', labels, edit));
}
