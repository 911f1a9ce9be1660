import { nameAffixesOf, pathReferencesOf, type FileUse } from './kustomizationPaths.ts';
import type { ParsedFile, WrittenObject } from './parseFile.ts';
import { itemsOf, nodeAt, textAt } from './yamlAccess.ts';

/** What all files together say about single files and names. */
export interface WorkspaceFacts {
  /** How kustomizations use a file. */
  readonly uses: ReadonlyMap<string, ReadonlySet<FileUse>>;
  /** The kustomizations that name a file. */
  readonly users: ReadonlyMap<string, readonly ParsedFile[]>;
  /** What overlays put around the names of objects. */
  readonly affixes: readonly { readonly prefix: string; readonly suffix: string }[];
  /** The names of the ExternalArtifacts that an ArtifactGenerator makes; `{name}` stands for any text. */
  readonly generated: readonly { readonly generator: WrittenObject; readonly name: RegExp }[];
}

/** Gathers the facts; files that cannot be read say nothing. */
export function gatherFacts(files: Iterable<ParsedFile>): WorkspaceFacts {
  const uses = new Map<string, Set<FileUse>>();
  const users = new Map<string, ParsedFile[]>();
  const affixes: { prefix: string; suffix: string }[] = [];
  const generated: { generator: WrittenObject; name: RegExp }[] = [];
  const addAffixes = (prefix: string, suffix: string): void => {
    if (prefix !== '' || suffix !== '') affixes.push({ prefix, suffix });
  };
  for (const file of files) {
    for (const object of file.objects) {
      if (object.group === 'kustomize.toolkit.fluxcd.io') {
        const spec = (name: string): string => textAt(object.node, ['spec', name]) ?? '';
        addAffixes(spec('namePrefix'), spec('nameSuffix'));
      }
      if (object.kind === 'ArtifactGenerator') generated.push(...artifactsOf(object));
    }
    if (file.kustomization === undefined) continue;
    const { prefix, suffix } = nameAffixesOf(file.kustomization);
    addAffixes(prefix, suffix);
    for (const { target, use } of pathReferencesOf(file.path, file.kustomization)) {
      if (target === undefined) continue;
      uses.set(target, (uses.get(target) ?? new Set()).add(use));
      users.set(target, [...(users.get(target) ?? []), file]);
    }
  }
  return { uses, users, affixes, generated };
}

function artifactsOf(generator: WrittenObject): { generator: WrittenObject; name: RegExp }[] {
  return itemsOf(nodeAt(generator.node, ['spec', 'artifacts'])).flatMap((artifact) => {
    const name = textAt(artifact, ['name']);
    if (name === undefined) return [];
    const parts = name.split(/\{[^}]*\}/).map((part) => part.replaceAll(/[^\w-]/g, '\\$&'));
    return [{ generator, name: new RegExp(`^${parts.join('.+')}$`) }];
  });
}
