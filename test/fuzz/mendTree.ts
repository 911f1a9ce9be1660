import { isJsonObject, type JsonObject, type JsonValue } from '../../src/base/json.ts';
import type { FuzzFile, FuzzTree } from './fuzzTree.ts';

/** A field of a kustomization or of the spec, or one entry of a field that is a list. */
interface Entry {
  /** The kustomization's file; undefined for the spec. */
  readonly path: string | undefined;
  readonly field: string;
  readonly index: number | undefined;
}

/**
 * The tree without the entries for which it is refused, so that the rest of it is compared, too: every entry that was taken
 * out breaks what is left. Undefined for a tree that does not build without any of them either.
 */
export function mendTree(tree: FuzzTree, builds: (candidate: FuzzTree) => boolean): FuzzTree | undefined {
  const out = new Set<Entry>();
  const buildsNow = (): boolean => builds(withoutEntries(tree, out));
  for (const entry of entriesOf(tree)) {
    if (buildsNow()) break;
    out.add(entry);
  }
  if (!buildsNow()) return undefined;
  for (const entry of [...out]) {
    out.delete(entry);
    if (!buildsNow()) out.add(entry);
  }
  return withoutEntries(tree, out);
}

/** The fields of all kustomizations of the tree and of its spec. */
export function fieldsOf({ files, spec }: FuzzTree): readonly string[] {
  const names = Object.values(files).flatMap((file) => Object.keys(kustomizationOf(file) ?? {}));
  return [...names, ...Object.keys(spec ?? {}).map((field) => `spec.${field}`)];
}

/** What may go: resources last, as most of what else there is needs them. */
function entriesOf({ files, spec }: FuzzTree): readonly Entry[] {
  const entries = Object.entries(files).flatMap(([path, file]) => entriesIn(path, kustomizationOf(file)));
  const isResource = ({ field }: Entry) => field === 'resources';
  return [
    ...entriesIn(undefined, spec),
    ...entries.filter((entry) => !isResource(entry)),
    ...entries.filter(isResource),
  ];
}

function entriesIn(path: string | undefined, fields: JsonObject | undefined): readonly Entry[] {
  return Object.entries(fields ?? {})
    .filter(([field]) => field !== 'apiVersion' && field !== 'kind')
    .flatMap(([field, value]): readonly Entry[] =>
      Array.isArray(value)
        ? value.map((_, index) => ({ path, field, index }))
        : [{ path, field, index: undefined }],
    );
}

function kustomizationOf(file: FuzzFile): JsonObject | undefined {
  if (typeof file === 'string') return undefined;
  const [document] = file.documents;
  const isKustomization =
    isJsonObject(document) && String(document['apiVersion']).startsWith('kustomize.config.k8s.io/');
  return isKustomization ? document : undefined;
}

function withoutEntries(tree: FuzzTree, out: ReadonlySet<Entry>): FuzzTree {
  const reduced = (path: string | undefined, fields: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(fields).flatMap(([field, value]): [string, JsonValue | undefined][] => {
        const gone = [...out].filter((entry) => entry.path === path && entry.field === field);
        if (gone.length === 0) return [[field, value]];
        if (!Array.isArray(value)) return [];
        const kept = value.filter((_, index) => !gone.some((entry) => entry.index === index));
        return kept.length === 0 ? [] : [[field, kept as JsonValue]];
      }),
    );
  const files = Object.entries(tree.files).map(([path, file]): [string, FuzzFile] => {
    const kustomization = kustomizationOf(file);
    return kustomization === undefined || typeof file === 'string'
      ? [path, file]
      : [path, { ...file, documents: [reduced(path, kustomization)] }];
  });
  return {
    ...tree,
    files: Object.fromEntries(files),
    ...(tree.spec !== undefined && { spec: reduced(undefined, tree.spec) }),
  };
}
