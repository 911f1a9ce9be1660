import { placeOf, valueOf, type SortOptionsInput } from './kustomizationShape.ts';
import { fail } from './problem.ts';
import { compareBytes, type Resource } from './resource.ts';
import { kindRank, legacyOrder, sortText } from './transformerConfig.ts';

/** The objects in the order that sortOptions asks for; as they are without it. */
export function sortObjects(
  objects: readonly Resource[],
  options: SortOptionsInput | undefined,
): readonly Resource[] {
  if (options === undefined) return objects;
  const order = valueOf(options.order);
  if (order !== 'fifo' && order !== 'legacy')
    return fail(
      'kustomization-invalid',
      `the order ${JSON.stringify(order)} is unknown`,
      placeOf(options.order, options.node),
      'write fifo or legacy',
    );
  const legacy = options.legacySortOptions;
  if (order === 'fifo') {
    if (legacy !== undefined)
      fail('kustomization-invalid', 'legacySortOptions only count with order: legacy', legacy.node);
    return objects;
  }
  const kinds =
    legacy === undefined
      ? legacyOrder
      : {
          first: (legacy.orderFirst ?? []).map(({ value }) => value),
          last: (legacy.orderLast ?? []).map(({ value }) => value),
        };
  return objects.toSorted((left, right) => compare(left, right, kinds));
}

/** The order of `kustomize build`: kinds that others need first, then by kind, namespace and name. */
export function sortByKind(objects: readonly Resource[]): readonly Resource[] {
  return objects.toSorted((left, right) => compare(left, right, legacyOrder));
}

function compare(
  left: Resource,
  right: Resource,
  kinds: { readonly first: readonly string[]; readonly last: readonly string[] },
): number {
  const byRank = kindRank(left.kind, kinds) - kindRank(right.kind, kinds);
  const [leftKind, rightKind] = [sortText(left.id), sortText(right.id)];
  if (leftKind === rightKind) return compareBytes(idText(left), idText(right));
  if (byRank !== 0) return byRank;
  const isNamespaces = left.kind === 'Namespace' && right.kind === 'Namespace';
  const isReversed = isNamespaces && (left.id.group === '' || right.id.group === '');
  return isReversed ? compareBytes(rightKind, leftKind) : compareBytes(leftKind, rightKind);
}

function idText({ id }: Resource): string {
  const kind = `${id.kind || '[noKind]'}.${id.version || '[noVer]'}.${id.group || '[noGrp]'}`;
  return `${kind}|${id.namespace || '~X'}|${id.name || '~N'}`;
}
