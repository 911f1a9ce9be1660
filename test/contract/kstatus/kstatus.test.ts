import { computeStatus } from '../../../src/kube/kstatus.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { checkVectors } from '../vectors.ts';
import { knownDifferences } from './knownDifferences.ts';

checkVectors('kstatus', knownDifferences, (input) => {
  const { status, message } = computeStatus(input as KubeObject);
  return { output: { status, message } };
});
