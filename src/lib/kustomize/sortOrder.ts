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
  return sorted(objects, kinds);
}

/** The order of `kustomize build`: kinds that others need first, then by kind, namespace and name. */
export function sortByKind(objects: readonly Resource[]): readonly Resource[] {
  return sorted(objects, legacyOrder);
}

interface KindOrder {
  readonly first: readonly string[];
  readonly last: readonly string[];
}

/** Kinds are put in order first, then the objects of each. */
function sorted(objects: readonly Resource[], order: KindOrder): readonly Resource[] {
  const byKind = new Map<string, Resource[]>();
  for (const object of objects) {
    const text = sortText(object.id);
    const list = byKind.get(text);
    if (list === undefined) byKind.set(text, [object]);
    else list.push(object);
  }
  const kinds = [...byKind].map(([text, list]) => ({ text, list, ...kindOf(list, order) }));
  return kinds
    .sort(compareKinds)
    .flatMap(({ list }) => list.sort((left, right) => compareBytes(left.id.sortKey, right.id.sortKey)));
}

interface Kind {
  readonly text: string;
  readonly rank: number;
  /** Upstream orders Namespaces of no group backwards. */
  readonly isNamespace: boolean;
  readonly hasGroup: boolean;
}

function kindOf([first]: readonly Resource[], order: KindOrder): Omit<Kind, 'text'> {
  const { kind = '', group = '' } = first?.id ?? {};
  return { rank: kindRank(kind, order), isNamespace: kind === 'Namespace', hasGroup: group !== '' };
}

function compareKinds(left: Kind, right: Kind): number {
  if (left.rank !== right.rank) return left.rank - right.rank;
  const isReversed = left.isNamespace && right.isNamespace && !(left.hasGroup && right.hasGroup);
  return isReversed ? compareBytes(right.text, left.text) : compareBytes(left.text, right.text);
}
