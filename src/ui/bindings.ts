import * as vscode from 'vscode';
import { bindingFor, bindingStep, type Binding } from './model/binding.ts';
import type { WorkspaceState } from './workspaceState.ts';

const memoryKey = 'plumb.binding';

/** Which cluster this workspace works with. The engine writes to no other. */
export class Bindings {
  readonly #memory: vscode.Memento;
  /** The cluster the user was last asked about, so that a question is asked once. */
  #asked = '';

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
  }

  get current(): Binding | undefined {
    return bindingFor(this.#memory.get<Binding>(memoryKey), settingOf());
  }

  /** Binds the workspace to the context; its cluster is the one that answers next. The engine must be started anew. */
  async choose(context: string): Promise<void> {
    await this.#memory.update(memoryKey, { context, from: 'chosen' } satisfies Binding);
  }

  /** The setting was changed by hand: that is the latest word. */
  async forget(): Promise<void> {
    await this.#memory.update(memoryKey, undefined);
  }

  /** Follows what the engine says: binds at the first answer, asks when another cluster answers. */
  follow(state: WorkspaceState, restart: () => Promise<void>): vscode.Disposable {
    const review = async (): Promise<void> => {
      const step = bindingStep(this.current, settingOf(), state.status);
      if (step.type === 'bind') await this.#memory.update(memoryKey, step.binding);
      if (step.type === 'ask') await this.#ask(step.context, state, restart);
    };
    return state.onDidChange(() => void review());
  }

  async #ask(context: string, state: WorkspaceState, restart: () => Promise<void>): Promise<void> {
    const uid = state.status?.cluster?.uid ?? '';
    if (uid === this.#asked) return;
    this.#asked = uid;
    const bind = 'Work with This Cluster';
    const choose = 'Choose Cluster…';
    const answer = await vscode.window.showWarningMessage(
      `${context} is now another cluster than the one this workspace is bound to. Plumb shows it and writes nothing there.`,
      bind,
      choose,
    );
    if (answer === choose) await vscode.commands.executeCommand('plumb.chooseCluster');
    if (answer !== bind) return;
    await this.choose(context);
    await restart();
  }
}

function settingOf(): string {
  return vscode.workspace.getConfiguration('plumb').get<string>('context', '');
}
