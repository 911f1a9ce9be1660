import { canonicalJson } from '../../../src/base/json.ts';
import { parseYaml } from '../../../src/kube/yaml.ts';
import { printYaml } from '../../../src/kube/yamlPrint.ts';
import type { OracleAnswer } from '../../oracle/oracle.ts';
import { checkVectors } from '../vectors.ts';
import { knownDifferences } from './knownDifferences.ts';
import { parseExactJson } from './exactJson.ts';

checkVectors(
  'yaml',
  knownDifferences,
  (input) => {
    const { text, direction } = input as { text: string; direction: string };
    return direction === 'toJSON' ? readFirst(text) : { output: printYaml(parseExactJson(text)) };
  },
  (answer, { direction }) => {
    if (answer?.error !== undefined) return 'refused';
    return direction === 'toJSON' ? canonicalJson(parseExactJson(String(answer?.output))) : answer?.output;
  },
);

/** Upstream reads the first document only. */
function readFirst(text: string): OracleAnswer {
  const { value, diagnostics } = parseYaml('x.yaml', text);
  const first = diagnostics.find(({ severity }) => severity === 'error');
  if (first !== undefined) return { error: first.message };
  return { output: canonicalJson(value[0]?.value ?? null) };
}
