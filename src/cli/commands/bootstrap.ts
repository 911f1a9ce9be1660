import { parseDuration } from '../../base/duration.ts';
import {
  type BootstrapAuth,
  bootstrapDefaults,
  type BootstrapOptions,
  type KeyAlgorithm,
} from '../../protocol/bootstrap.ts';
import { type Command, type CommandContext, flagOption, textOption, UsageError } from '../command.ts';
import { confirmed, yesOption } from '../confirm.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';
import { bootstrapPlanText, bootstrapResultText, progressText } from '../printers/setupText.ts';
import { printResult } from '../printResult.ts';

const keyAlgorithms: readonly KeyAlgorithm[] = ['ed25519', 'ecdsa', 'rsa'];

export const bootstrapCommand: Command = {
  name: 'bootstrap',
  summary: 'Sync a cluster with a Git repository, and the Flux manifests with it',
  completions: [['git']],
  usage: 'git --url URL [--branch NAME] [--path FOLDER] [--yes]',
  details: [
    'Shows the plan (files to commit, objects to apply, key to create), asks, and carries it out: commits',
    'FOLDER/flux-system with the layout of flux bootstrap, installs the definitions, writes the sync secret, applies',
    'GitRepository and Kustomization, and waits until they are reconciled. Run it again at any time: what is done is not',
    'done twice, and after an interruption it goes on.',
    '',
    'Over SSH a deploy key is made for the cluster, and your own git pushes; with --private-key-file that key does both.',
    'Over HTTPS give --token-auth and GIT_PASSWORD, or --with-bearer-token.',
  ].join('\n'),
  examples: [
    [
      'plumb bootstrap git --url ssh://git@example.com/team/fleet.git --path clusters/dev',
      'make a deploy key, show it, and sync clusters/dev of branch main',
    ],
    [
      'GIT_PASSWORD=… plumb bootstrap git --url https://example.com/team/fleet.git --token-auth --username me',
      'push and sync with a token',
    ],
    ['plumb bootstrap git --url … --dry-run', 'show the plan and change nothing'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    ...yesOption,
    url: { type: 'string', value: 'URL', description: 'https://, ssh:// or, on this machine, http://' },
    branch: {
      type: 'string',
      value: 'NAME',
      description: 'branch to commit to and sync from; default: main',
    },
    path: {
      type: 'string',
      value: 'FOLDER',
      description: "the cluster's folder in the repository; default: its root",
    },
    interval: {
      type: 'string',
      value: 'DURATION',
      description: 'how often the repository is fetched; default: 1m0s',
    },
    username: { type: 'string', value: 'NAME', description: 'user name for HTTPS; default: git' },
    password: {
      type: 'string',
      value: 'TEXT',
      description:
        'password, token or key passphrase; others see it in the process list, GIT_PASSWORD they do not',
    },
    'token-auth': { type: 'boolean', description: 'log in over HTTPS with user name and password or token' },
    'with-bearer-token': { type: 'boolean', description: 'log in over HTTPS with a bearer token' },
    'private-key-file': {
      type: 'string',
      value: 'FILE',
      completion: 'file',
      description: 'SSH key for the push and for the cluster',
    },
    'ssh-key-algorithm': {
      type: 'string',
      completion: ['ed25519', 'ecdsa', 'rsa'],
      value: 'NAME',
      description: 'of the deploy key: ed25519 (default), ecdsa, rsa',
    },
    'ssh-hostname': {
      type: 'string',
      value: 'HOST',
      description: 'host the cluster uses, where it is another',
    },
    'ca-file': {
      type: 'string',
      value: 'FILE',
      completion: 'file',
      description: 'certificate authority of the HTTPS server',
    },
    'secret-name': {
      type: 'string',
      value: 'NAME',
      description: 'Secret for the credentials; default: flux-system',
    },
    'author-name': { type: 'string', value: 'NAME', description: 'author of the commits; default: Flux' },
    'author-email': { type: 'string', value: 'ADDRESS', description: 'address of the author' },
    'commit-message-appendix': {
      type: 'string',
      value: 'TEXT',
      description: "added to commit messages, as '[ci skip]'",
    },
    'recurse-submodules': { type: 'boolean', description: 'fetch submodules too' },
    'allow-insecure-http': { type: 'boolean', description: 'allow plain HTTP to other machines' },
    timeout: { type: 'string', value: 'DURATION', description: 'how long to wait for the sync; default: 5m' },
    force: { type: 'boolean', description: 'go on where another tool manages the installation' },
    silent: { type: 'boolean', description: 'do not ask; the same as --yes' },
    'dry-run': { type: 'boolean', description: 'show the plan and stop' },
  },
  run: (ctx) => {
    const options = bootstrapOptions(ctx);
    return withEngine(ctx, async (engine) => {
      const { signal, terminal } = ctx;
      const plan = await engine.planBootstrap(options, { signal });
      if (flagOption(ctx, 'dry-run')) {
        printResult(ctx, plan, () => bootstrapPlanText(plan, terminal.style));
        return 0;
      }
      terminal.err(bootstrapPlanText(plan, terminal.style));
      const isSilent = flagOption(ctx, 'silent') || plan.isUpToDate;
      if (!isSilent && !(await confirmed(ctx, `bootstrap ${plan.cluster}?`))) return 130;
      const progress = engine.onEvent((event) => {
        if (event.type === 'bootstrapProgress') terminal.err(progressText(event, terminal.style));
      });
      const result = await engine.bootstrap(plan.id, { signal });
      progress.dispose();
      printResult(ctx, result, () => bootstrapResultText(result, terminal.style));
      return 0;
    });
  },
};

/** The options from the flags; everything the flags do not say is upstream's default. */
export function bootstrapOptions(ctx: CommandContext): BootstrapOptions {
  const [provider, ...more] = ctx.positionals;
  if (provider !== 'git' || more.length > 0)
    throw new UsageError(
      'say what to bootstrap from: plumb bootstrap git --url URL; other providers work through git',
    );
  const url = textOption(ctx, 'url');
  if (url === undefined) throw new UsageError('--url is missing: the address of the Git repository');
  const timeout = parseDuration(textOption(ctx, 'timeout') ?? '5m');
  if (timeout === undefined || timeout <= 0) throw new UsageError('--timeout takes a duration, as 5m or 90s');
  const namespace =
    textOption(ctx, 'namespace') ?? ctx.env['FLUX_SYSTEM_NAMESPACE'] ?? bootstrapDefaults.namespace;
  const appendix = textOption(ctx, 'commit-message-appendix');
  const caFile = textOption(ctx, 'ca-file');
  const sshHostname = textOption(ctx, 'ssh-hostname');
  return {
    url,
    auth: authOf(ctx, url),
    branch: textOption(ctx, 'branch') ?? bootstrapDefaults.branch,
    path: textOption(ctx, 'path') ?? bootstrapDefaults.path,
    namespace,
    secretName: textOption(ctx, 'secret-name') ?? bootstrapDefaults.secretName,
    interval: textOption(ctx, 'interval') ?? bootstrapDefaults.interval,
    authorName: textOption(ctx, 'author-name') ?? bootstrapDefaults.authorName,
    authorEmail: textOption(ctx, 'author-email') ?? bootstrapDefaults.authorEmail,
    ...(appendix !== undefined && { commitMessageAppendix: appendix }),
    ...(caFile !== undefined && { caFile }),
    ...(sshHostname !== undefined && { sshHostname }),
    recurseSubmodules: flagOption(ctx, 'recurse-submodules'),
    allowInsecureHttp: flagOption(ctx, 'allow-insecure-http'),
    force: flagOption(ctx, 'force'),
    timeoutMs: timeout,
  };
}

function authOf(ctx: CommandContext, url: string): BootstrapAuth {
  const inUrl = URL.parse(url)?.username ?? '';
  const username = textOption(ctx, 'username') ?? (inUrl === '' ? 'git' : decodeURIComponent(inUrl));
  if (!/^https?:/i.test(url)) {
    const path = textOption(ctx, 'private-key-file');
    if (path !== undefined) return { type: 'privateKeyFile', path };
    const algorithm = textOption(ctx, 'ssh-key-algorithm') ?? 'ed25519';
    const known = keyAlgorithms.find((name) => name === algorithm);
    if (known === undefined) throw new UsageError(`--ssh-key-algorithm takes ${keyAlgorithms.join(', ')}`);
    return { type: 'deployKey', algorithm: known };
  }
  if (flagOption(ctx, 'with-bearer-token')) return { type: 'bearer' };
  const hasPassword = (textOption(ctx, 'password') ?? ctx.env['GIT_PASSWORD'] ?? '') !== '';
  return flagOption(ctx, 'token-auth') || hasPassword ? { type: 'password', username } : { type: 'none' };
}
