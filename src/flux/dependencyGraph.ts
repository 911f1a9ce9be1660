/**
 * The keys so that each stands after what it depends on, equal ranks in the given order; and every cycle, as the path
 * that closes it. Keys of a cycle stand where they were. Dependencies that are no key are ignored.
 */
export function sortByDependency(
  keys: readonly string[],
  dependenciesOf: (key: string) => readonly string[],
): { readonly sorted: readonly string[]; readonly cycles: readonly (readonly string[])[] } {
  const known = new Set(keys);
  const state = new Map<string, 'open' | 'done'>();
  const sorted: string[] = [];
  const cycles: string[][] = [];
  const path: string[] = [];
  const visit = (key: string): void => {
    if (state.get(key) === 'done') return;
    if (state.get(key) === 'open') {
      cycles.push([...path.slice(path.indexOf(key)), key]);
      return;
    }
    state.set(key, 'open');
    path.push(key);
    for (const dependency of dependenciesOf(key)) if (known.has(dependency)) visit(dependency);
    path.pop();
    state.set(key, 'done');
    sorted.push(key);
  };
  for (const key of keys) visit(key);
  return { sorted, cycles };
}
