import { plumbError } from '../base/plumbError.ts';
import { fluxKinds, type FluxKind } from '../flux/kinds.gen.ts';
import type { ObjectRef } from '../kube/object.ts';

/** The namespace Flux objects are looked for in when none is given, as the Flux CLI does. */
export const defaultFluxNamespace = 'flux-system';

/**
 * The Flux kind behind a word: `Kustomization`, `kustomizations`, `ks`, any case; `source git` style words are two-part in
 * the Flux CLI and one here (`gitrepo`). Throws InvalidConfiguration listing what can be said.
 */
export function parseFluxKind(word: string): FluxKind {
  const wanted = word.toLowerCase();
  const found = (fluxKinds as readonly FluxKind[]).find(
    ({ kind, plural, shortNames }) =>
      kind.toLowerCase() === wanted || plural === wanted || shortNames.includes(wanted),
  );
  if (found !== undefined) return found;
  throw plumbError('InvalidConfiguration', {
    message: `${JSON.stringify(word)} is no Flux kind`,
    hint: `one of ${fluxKinds.map(({ plural }) => plural).join(', ')}`,
  });
}

/** Every word for a Flux kind that people type: the singular in lower case. */
export function fluxKindWords(): readonly string[] {
  return fluxKinds.map(({ kind }) => kind.toLowerCase());
}

/** The object behind `KIND NAME` or `KIND/NAME`. */
export function parseFluxRef(words: readonly string[], namespace: string | undefined): ObjectRef {
  const [kindWord, name] = words.length === 1 ? (words[0] as string).split('/') : words;
  if (kindWord === undefined || kindWord === '' || name === undefined || name === '') {
    throw plumbError('InvalidConfiguration', {
      message: 'an object is named by KIND NAME or KIND/NAME',
      hint: 'for example: kustomization apps',
    });
  }
  const { group, version, kind } = parseFluxKind(kindWord);
  return { group, version, kind, namespace: namespace ?? defaultFluxNamespace, name };
}
