import * as vscode from 'vscode';
import {
  bindingFor,
  bindingStep,
  chosenBinding,
  remembered,
  type Binding,
  type FoundCluster,
} from './model/binding.ts';
import type { WorkspaceState } from './workspaceState.ts';

const memoryKey = 'plumb.binding';
const knownKey = 'plumb.bindings';

/** Which clusters this workspace is bound to, and with which of them it works. The engine writes to no other. */
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

  /** Every cluster the workspace was ever bound to, the latest first. */
  get known(): readonly Binding[] {
    return this.#memory.get<readonly Binding[]>(knownKey, []);
  }

  /** Works with the context from now on. The engine must be started anew. */
  async choose(context: string, found?: FoundCluster): Promise<void> {
    await this.#keep(chosenBinding(context, this.known, found));
  }

  /** As `choose`, with whatever cluster the context leads to now. */
  async chooseAnew(context: string): Promise<void> {
    await this.#keep(chosenBinding(context, [], undefined));
  }

  /** The setting was changed by hand: that is the latest word. */
  async forget(): Promise<void> {
    await this.#memory.update(memoryKey, undefined);
  }

  /** Follows what the engine says: binds at the first answer, asks when another cluster answers. */
  follow(state: WorkspaceState, restart: () => Promise<void>): vscode.Disposable {
    const review = async (): Promise<void> => {
      const step = bindingStep(this.current, settingOf(), state.status);
      if (step.type === 'bind') await this.#keep(step.binding);
      if (step.type === 'ask') await this.#ask(step.context, state, restart);
    };
    return state.onDidChange(() => void review());
  }

  async #keep(binding: Binding): Promise<void> {
    await this.#memory.update(memoryKey, binding);
    await this.#memory.update(knownKey, remembered(this.known, binding));
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
    await this.chooseAnew(context);
    await restart();
  }
}

function settingOf(): string {
  return vscode.workspace.getConfiguration('plumb').get<string>('context', '');
}
