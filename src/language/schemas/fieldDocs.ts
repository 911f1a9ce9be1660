import docs from '../../flux/fieldDocs.json' with { type: 'json' };

const texts: Readonly<Record<string, string | undefined>> = docs;

/**
 * The short description of a field of a Flux kind, or of the kind itself for an empty path; undefined when there is none.
 * Fields that several kinds share are described once, under `*`.
 */
export function fieldDoc(kind: string, path: readonly (string | number)[]): string | undefined {
  const names = path.filter((key) => typeof key === 'string');
  return texts[[kind, ...names].join('.')] ?? (names.length === 0 ? undefined : texts[['*', ...names].join('.')]);
}
