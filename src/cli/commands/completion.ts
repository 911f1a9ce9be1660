import { type Command, UsageError } from '../command.ts';
import { shellScripts } from '../completion/shellScripts.ts';

const shells = Object.keys(shellScripts);

export const completionCommand: Command = {
  name: 'completion',
  summary: 'Print the completion script of a shell',
  usage: shells.join('|'),
  completions: [shells],
  details:
    'Completes commands, flags, their values, Flux kinds, files, the contexts of the kubeconfig, and the names of Flux objects\nin the files and the cluster. A cluster that does not answer within two seconds is left out.',
  examples: [
    ['source <(plumb completion bash)', 'this bash; in ~/.bashrc every one'],
    ['source <(plumb completion zsh)', 'this zsh; in ~/.zshrc after compinit every one'],
    ['plumb completion fish > ~/.config/fish/completions/plumb.fish', 'every fish'],
    ['plumb completion powershell | Out-String | Invoke-Expression', 'this PowerShell'],
  ],
  options: {},
  run: ({ positionals, terminal }) => {
    const [shell = '', ...more] = positionals;
    const script = Object.hasOwn(shellScripts, shell) ? shellScripts[shell] : undefined;
    if (script === undefined || more.length > 0)
      throw new UsageError(`say which shell: ${shells.join(', ')}`);
    terminal.out(script);
    return Promise.resolve(0);
  },
};
