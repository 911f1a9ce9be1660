import * as vscode from 'vscode';
import type { BootstrapPlan } from '../../protocol/bootstrap.ts';
import {
  authChoices,
  branchProblem,
  firstAnswers,
  isSameChoice,
  keyFileProblem,
  namespaceProblem,
  pathProblem,
  repositoryUrl,
  urlProblem,
  bootstrapOptions,
  type BootstrapAnswers,
} from '../model/bootstrapAnswers.ts';
import { approvalText, bootstrapPlanPage } from '../model/setupText.ts';
import { chooseContext } from './chooseContext.ts';
import type { CommandContext } from './commandContext.ts';
import { withCancellableProgress } from './progress.ts';
import { askChoice, askSteps, askText, type Step, type TextQuestion } from './steps.ts';

/** The answers, and the plan the user approved. */
export interface Approved {
  readonly answers: BootstrapAnswers;
  readonly plan: BootstrapPlan;
}

interface Draft {
  readonly answers: BootstrapAnswers;
  readonly plan?: BootstrapPlan;
}

const memoryKey = 'plumb.bootstrap';
const title = 'Bootstrap';

/**
 * Asks where to bootstrap from, plans it, shows the plan and asks for approval; nothing is written before that. With `review`
 * the answers of the last time are planned again at once. Undefined: the user left. Throws what stands in the way of a plan.
 */
export async function askBootstrap(
  ctx: CommandContext,
  start: 'questions' | 'review',
): Promise<Approved | undefined> {
  const first = ctx.memory.get<BootstrapAnswers>(memoryKey);
  // Before the engine's first answer nobody knows which cluster the window works with.
  if (ctx.state.status === undefined) await ctx.state.refresh();
  const answers = first ?? firstAnswers(await remoteOfFolder(), ctx.state.status?.cluster?.context ?? '');
  const draft = await askSteps<Draft>(
    title,
    (current) => stepsFor(ctx, current),
    { answers },
    start === 'review' && first !== undefined ? 'last' : 'first',
  );
  return draft?.plan === undefined ? undefined : { answers: draft.answers, plan: draft.plan };
}

function stepsFor(ctx: CommandContext, { answers }: Draft): readonly Step<Draft>[] {
  const { auth } = answers;
  return [
    async (draft, at) => {
      const answer = await chooseContext(ctx, at);
      return answer === 'chosen' ? draft : answer;
    },
    textStep(
      ({ url }) => ({
        prompt: 'The Git repository that says what runs in the cluster. It may be empty.',
        placeholder: 'ssh://git@example.com/team/fleet.git or https://example.com/team/fleet.git',
        value: url,
        problem: urlProblem,
      }),
      (now, text) => withUrl(now, text),
    ),
    textStep(
      ({ branch }) => ({
        prompt: 'The branch to commit to and to sync from. In an empty repository it is made.',
        placeholder: 'main',
        value: branch,
        problem: branchProblem,
      }),
      (now, branch) => ({ ...now, branch }),
    ),
    textStep(
      ({ path }) => ({
        prompt: 'The folder of this cluster in the repository. Empty: its root.',
        placeholder: 'clusters/my-cluster',
        value: path,
        problem: pathProblem,
      }),
      (now, path) => ({ ...now, path }),
    ),
    authStep,
    ...(auth.type === 'password'
      ? [
          textStep(
            () => ({
              prompt: 'The user name for the token. Many servers take any.',
              placeholder: 'git',
              value: auth.username,
              problem: (text) => (text.trim() === '' ? 'The user name is needed.' : undefined),
            }),
            (now, username) => ({ ...now, auth: { type: 'password', username } }),
          ),
        ]
      : []),
    ...(auth.type === 'privateKeyFile'
      ? [
          textStep(
            () => ({
              prompt: 'The file of the private key, for the push and for the cluster.',
              placeholder: '/home/me/.ssh/id_ed25519',
              value: auth.path,
              problem: keyFileProblem,
            }),
            (now, path) => ({ ...now, auth: { type: 'privateKeyFile', path } }),
          ),
        ]
      : []),
    textStep(
      ({ namespace }) => ({
        prompt: 'The namespace of the Flux objects. The sync objects are named after it.',
        placeholder: 'flux-system',
        value: namespace,
        problem: namespaceProblem,
      }),
      (now, namespace) => ({ ...now, namespace }),
    ),
    (draft, at) => review(ctx, draft, at),
  ];
}

function textStep(
  question: (answers: BootstrapAnswers) => TextQuestion,
  add: (answers: BootstrapAnswers, text: string) => BootstrapAnswers,
): Step<Draft> {
  return async ({ answers }, at) => {
    const answer = await askText(at, question(answers));
    return answer === undefined || answer === 'back' ? answer : { answers: add(answers, answer.text) };
  };
}

function withUrl(answers: BootstrapAnswers, text: string): BootstrapAnswers {
  const url = repositoryUrl(text);
  const isSameWay = URL.parse(url)?.protocol === URL.parse(answers.url)?.protocol;
  return { ...answers, url, auth: isSameWay ? answers.auth : (authChoices(url)[0]?.auth ?? answers.auth) };
}

const authStep: Step<Draft> = async ({ answers }, at) => {
  const items = authChoices(answers.url);
  const active = items.find(({ auth }) => isSameChoice(auth, answers.auth));
  const picked = await askChoice(at, 'How is the repository logged in to?', items, active);
  if (picked === undefined || picked === 'back') return picked;
  return { answers: picked === active ? answers : { ...answers, auth: picked.auth } };
};

/** The plan on a page of its own, and the approval in front of it. */
async function review(
  ctx: CommandContext,
  { answers }: Draft,
  at: Parameters<Step<Draft>>[1],
): Promise<Draft | 'back' | undefined> {
  await ctx.memory.update(memoryKey, answers);
  const plan = await withCancellableProgress(`planning the bootstrap from ${answers.url}`, (signal) =>
    ctx.engine.planBootstrap(bootstrapOptions(answers), { signal }),
  );
  await ctx.plans.showText(`Bootstrap ${plan.cluster}.md`, bootstrapPlanPage(plan));
  const key = plan.deployKey;
  const approve = { ...approvalText(plan), iconPath: new vscode.ThemeIcon('rocket') };
  // Without a detail: the editor shows that of the row under the pointer as a tip, over the row that is picked next.
  const copyKey = { label: 'Copy the deploy key', iconPath: new vscode.ThemeIcon('key') };
  let active = key?.isNew === true ? copyKey : approve;
  for (;;) {
    const items = key === undefined ? [approve] : [copyKey, approve];
    const placeholder = plan.isUpToDate
      ? 'Everything is in place. The plan is on the page behind this.'
      : 'Read the plan on the page behind this, then approve it. Nothing has been written yet.';
    const picked = await askChoice(at, placeholder, items, active);
    if (picked === undefined || picked === 'back') return picked;
    if (picked === approve) return { answers, plan };
    await vscode.env.clipboard.writeText(key?.publicKey ?? '');
    vscode.window.setStatusBarMessage('$(key) deploy key copied', 8000);
    active = approve;
  }
}

/** What the editor's git extension says of the open folder; undefined without it. */
async function remoteOfFolder(): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<GitExtension>('vscode.git');
  if (extension === undefined) return undefined;
  const git = await extension.activate();
  if (!git.enabled) return undefined;
  const remotes = git.getAPI(1).repositories[0]?.state.remotes ?? [];
  const remote = remotes.find(({ name }) => name === 'origin') ?? remotes[0];
  return remote?.fetchUrl;
}

/** The little of the git extension's API that is used here. */
interface GitExtension {
  readonly enabled: boolean;
  getAPI(version: 1): {
    readonly repositories: readonly {
      readonly state: { readonly remotes: readonly { readonly name: string; readonly fetchUrl?: string }[] };
    }[];
  };
}
