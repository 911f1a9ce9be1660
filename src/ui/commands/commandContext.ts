import type * as vscode from 'vscode';
import type { Binding, FoundCluster } from '../model/binding.ts';
import type { CredentialBroker } from '../credentials.ts';
import type { EncryptedFiles } from '../encryptedFiles.ts';
import type { EngineClient } from '../engineClient.ts';
import type { Log } from '../log.ts';
import type { PlanContent } from '../planContent.ts';
import type { WorkspaceState } from '../workspaceState.ts';

/** What the parts of the user interface share. */
export interface UiContext {
  readonly engine: EngineClient;
  readonly state: WorkspaceState;
  readonly plans: PlanContent;
  readonly log: Log;
}

/** What commands work with. */
export interface CommandContext extends UiContext {
  readonly onSave: { choose(): Promise<void> };
  /** Which cluster the workspace works with. */
  readonly bindings: {
    readonly current: Binding | undefined;
    readonly known: readonly Binding[];
    choose(context: string, found?: FoundCluster): Promise<void>;
    /** With whatever cluster the context leads to now. */
    chooseAnew(context: string): Promise<void>;
  };
  readonly credentials: Pick<CredentialBroker, 'worked' | 'drop' | 'forget'>;
  readonly encryptedFiles: Pick<EncryptedFiles, 'edit' | 'save'>;
  /** What the user said last, for this workspace. Holds no secrets. */
  readonly memory: vscode.Memento;
}

/** A command; the argument is a tree row, an ObjectRef, a document's URI, or nothing when it comes from the palette. */
export type Command = (ctx: CommandContext, argument: unknown) => Promise<void>;
