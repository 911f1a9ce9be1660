import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/base/json.ts';
import { sha256Digest } from '../../src/base/digest.ts';
import type { FileTree } from '../../src/base/fileTree.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { packArchive } from '../../src/lib/tar/archive.ts';

/** Stands in for source-controller's artifact storage: real archives over HTTP on loopback. */
export interface ArtifactServer {
  readonly url: string;
  /** Paths that were fetched, oldest first. */
  readonly requests: readonly string[];
  /** Serves the tree as an archive; gives `status.artifact` for it. */
  publish(path: string, revision: string, tree: FileTree): Promise<JsonObject>;
  close(): Promise<void>;
}

export async function startArtifactServer(): Promise<ArtifactServer> {
  const archives = new Map<string, Uint8Array>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').slice(1);
    requests.push(path);
    const archive = archives.get(path);
    if (archive === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/gzip' }).end(archive);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    async publish(path, revision, tree) {
      const archive = await packArchive(tree);
      archives.set(path, archive);
      return {
        digest: sha256Digest(archive),
        lastUpdateTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
        path,
        revision,
        size: archive.byteLength,
        url: `${url}/${path}`,
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The status of a ready source with that artifact, as source-controller leaves it. */
export function readySourceStatus(source: KubeObject, artifact: JsonObject): JsonObject {
  const generation = source.metadata.generation ?? 1;
  const lastTransitionTime = artifact['lastUpdateTime'];
  const message = `stored artifact for revision '${String(artifact['revision'])}'`;
  const condition = { observedGeneration: generation, lastTransitionTime, reason: 'Succeeded', message };
  return {
    observedGeneration: generation,
    artifact,
    conditions: [
      { ...condition, type: 'Ready', status: 'True' },
      { ...condition, type: 'ArtifactInStorage', status: 'True' },
    ],
  };
}
