import { defaultKubeconfigPaths, listContexts } from '../clients/cluster/kubeconfig.ts';

/** The contexts of the kubeconfig files, of the user's own where none are named. Throws KubeconfigInvalid. */
export async function contextNames(paths: readonly string[]): Promise<readonly string[]> {
  const files = paths.length > 0 ? paths : defaultKubeconfigPaths(process.env);
  return (await listContexts(files)).map(({ name }) => name);
}
