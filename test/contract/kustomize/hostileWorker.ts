// Builds one tree and says what came of it; a worker, so that its memory has a bound.
import { parentPort, workerData } from 'node:worker_threads';
import { buildWithPlumb } from './plumbBuild.ts';

const { files, restricted } = workerData as {
  files: readonly (readonly [string, Uint8Array | string])[];
  restricted: boolean;
};
const loadRestrictor = restricted ? 'LoadRestrictionsRootOnly' : 'LoadRestrictionsNone';
const { output, error } = buildWithPlumb(files, { loadRestrictor }, 'kustomize');
parentPort?.postMessage({ length: output?.length, error });
