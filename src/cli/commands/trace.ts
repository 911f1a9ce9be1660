import { defaultFluxNamespace } from '../../engine/fluxRef.ts';
import { type Command, textOption } from '../command.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { tellMissingCluster } from '../missingCluster.ts';
import { objectWords } from '../namedObject.ts';
import { withEngine } from '../openEngine.ts';
import { printResult } from '../printResult.ts';
import { traceText } from '../printers/traceText.ts';

export const traceCommand: Command = {
  name: 'trace',
  summary: 'Find where an object comes from: workload, source, revision and file',
  usage: 'KIND NAME [-n NAMESPACE] [-o text|json|yaml]',
  completions: ['kind', 'object'],
  details:
    'Any kind, told as for kubectl: deployment, deploy, certificates.cert-manager.io. What has an owner, as a Pod has, is traced\nthrough it. Every workload up to the root is shown with its source and revision, and the file where the object stands\nwhen it is in the repository you stand in. An object that is only in Git is traced too.',
  examples: [
    ['plumb trace deployment web -n shop', 'which Kustomization, commit and file it comes from'],
    ['plumb trace pod web-7d4b9-x2x -n shop', 'through its ReplicaSet and Deployment'],
    ['plumb trace kustomization apps', 'what applies a Kustomization'],
  ],
  options: { ...clusterOptions, ...outputOption },
  run: (ctx) => {
    const [kind, name] = objectWords(ctx);
    const query = { kind, name, namespace: textOption(ctx, 'namespace') ?? defaultFluxNamespace };
    return withEngine(ctx, async (engine) => {
      const trace = await engine.trace(query, { signal: ctx.signal });
      tellMissingCluster(ctx, trace);
      printResult(ctx, trace, () => traceText(trace, ctx.terminal.style));
      return 0;
    });
  },
};
