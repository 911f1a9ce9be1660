import { plumbError } from '../../base/plumbError.ts';
import { formatRef } from '../../kube/object.ts';
import { type Command, flagOption } from '../command.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { tellMissingCluster } from '../missingCluster.ts';
import { namedObject } from '../namedObject.ts';
import { withEngine } from '../openEngine.ts';
import { compactTree, objectTreeOf, objectTreeText } from '../printers/objectTreeText.ts';
import { printResult } from '../printResult.ts';

export const treeCommand: Command = {
  name: 'tree',
  summary: 'Show what a workload applies, and what that applies in turn',
  usage: 'KIND NAME [--compact] [-o text|json|yaml]',
  completions: ['kind', 'object'],
  details:
    'Joins the inventory in the cluster with what the files build: an object that is in only one of them says so. States other\nthan ready stand behind the name. Without a cluster the files are shown alone.',
  examples: [
    ['plumb tree kustomization flux-system', 'the whole fleet below its root'],
    ['plumb tree ks flux-system --compact', 'Kustomizations, HelmReleases and sources only'],
    ['plumb tree kustomization apps -o json', 'for a script: ref, state, presence and resources'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    compact: { type: 'boolean', description: 'Flux objects only' },
  },
  run: (ctx) => {
    const ref = namedObject(ctx);
    return withEngine(ctx, async (engine) => {
      const view = await engine.tree({ signal: ctx.signal });
      tellMissingCluster(ctx, view);
      const whole = objectTreeOf(view, ref);
      if (whole === undefined)
        throw plumbError('NotFound', {
          subject: formatRef(ref),
          message: 'there is no such workload or source, neither in the cluster nor in the files',
          hint: 'plumb get lists what there is; -n names another namespace',
        });
      const shown = flagOption(ctx, 'compact') ? compactTree(whole) : whole;
      printResult(ctx, shown, () => objectTreeText(shown, ctx.terminal.style));
      return 0;
    });
  },
};
