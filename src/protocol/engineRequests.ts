import type { Engine } from './engine.ts';

/** Methods of Engine that are questions with one answer. */
export type RequestName = Exclude<keyof Engine, 'documents' | 'workspaceChanged' | 'onEvent' | 'dispose'>;

/** Every one of them, with the number of its arguments before the options. */
export const argumentCounts: Readonly<Record<RequestName, number>> = {
  contexts: 0,
  findClusters: 1,
  status: 0,
  tree: 0,
  render: 1,
  buildFolder: 2,
  plan: 2,
  apply: 1,
  prune: 1,
  reconcile: 2,
  reconcileAll: 2,
  objects: 1,
  suspend: 2,
  resume: 1,
  revertAtOnce: 1,
  revertAtInterval: 1,
  planOverride: 1,
  startOverride: 2,
  endOverride: 1,
  setMode: 1,
  drift: 1,
  trace: 1,
  events: 1,
  exportInstall: 1,
  planInstall: 1,
  install: 1,
  planBootstrap: 1,
  bootstrap: 1,
  check: 1,
  planUninstall: 1,
  uninstall: 1,
  isEncrypted: 1,
  decryptFile: 1,
  saveEncrypted: 3,
  encryptFile: 1,
  planDown: 0,
  down: 1,
};

/** Their names. */
export const requestNames = Object.keys(argumentCounts) as RequestName[];

/** Every request as a function made by `make`; the names are the table's, the types are Engine's. */
export function everyRequest(
  make: (name: RequestName) => (...args: readonly unknown[]) => Promise<unknown>,
): Pick<Engine, RequestName> {
  return Object.fromEntries(requestNames.map((name) => [name, make(name)])) as unknown as Pick<
    Engine,
    RequestName
  >;
}
