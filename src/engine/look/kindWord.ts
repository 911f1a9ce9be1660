import type { ServedKind } from '../../clients/cluster/clusterClient.ts';

type NamedKind = Pick<ServedKind, 'group' | 'kind' | 'plural' | 'shortNames'>;

/** The first kind behind a word as kubectl takes it: `Deployment`, `deployments`, `deploy`, any case, also with `.group` behind. */
export function kindOfWord<T extends NamedKind>(word: string, kinds: readonly T[]): T | undefined {
  const wanted = word.toLowerCase();
  const dot = wanted.indexOf('.');
  const [name, group] = dot < 0 ? [wanted, undefined] : [wanted.slice(0, dot), wanted.slice(dot + 1)];
  return kinds.find(
    (candidate) =>
      (group === undefined || candidate.group === group) &&
      (candidate.kind.toLowerCase() === name ||
        candidate.plural === name ||
        candidate.shortNames.includes(name)),
  );
}
