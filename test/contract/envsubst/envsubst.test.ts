import { substituteText } from '../../../src/lib/envsubst/envsubst.ts';
import { checkVectors } from '../vectors.ts';
import { knownDifferences } from './knownDifferences.ts';

checkVectors(
  'envsubst',
  knownDifferences,
  (input) => {
    const { text, variables, lenient } = input as {
      text: string;
      variables: Record<string, string>;
      lenient?: boolean;
    };
    const unset = lenient === true ? '' : undefined;
    const result = substituteText(text, (name) => variables[name] ?? unset);
    return 'text' in result
      ? { output: result.text.toWellFormed() }
      : { error: result.errors[0]?.message ?? '' };
  },
  // Upstream gives the text up to the error as well; nobody reads it.
  (answer) => answer?.error ?? { text: answer?.output },
);
