import * as vscode from 'vscode';
import type { ObjectRef } from '../kube/object.ts';
import type { PlanView } from '../protocol/views.ts';
import { diffPairs, PlanStore, planScheme, type PlanAddress } from './model/planDocuments.ts';

const keptPlans = 20;

/** Plans as read-only documents, for the editor's own diff view. */
export interface PlanContent {
  keep(plan: PlanView): void;
  /** The plan that the document shows a part of. */
  planOf(uri: vscode.Uri): PlanView | undefined;
  /** Opens the diff editor: of one object, or of all that the plan changes. False when there is nothing to show. */
  showDiff(plan: PlanView, only?: ObjectRef): Promise<boolean>;
  /** Opens text that stands in no file. */
  showText(name: string, text: string): Promise<void>;
  dispose(): void;
}

/** Serves the documents of the scheme `plumb`. */
export function providePlanContent(): PlanContent {
  const store = new PlanStore(keptPlans);
  const texts = new Map<string, string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const registration = vscode.workspace.registerTextDocumentContentProvider(planScheme, {
    onDidChange: changed.event,
    provideTextDocumentContent: ({ path, query }) => {
      if (query === '') return texts.get(path) ?? '';
      return store.text({ path, query }) ?? '# This plan is no longer kept. Show the differences again.\n';
    },
  });
  return {
    keep: (plan) => store.add(plan),
    planOf: (uri) => (uri.scheme === planScheme ? store.planOf(uri) : undefined),
    showDiff: async (plan, only) => {
      store.add(plan);
      const pairs = diffPairs(plan, only);
      const [first] = pairs;
      if (first === undefined) return false;
      if (pairs.length === 1)
        // The two-document view needs both: where a side does not exist it is an empty document.
        await vscode.commands.executeCommand(
          'vscode.diff',
          uriOf(first.cluster ?? emptyDocument),
          uriOf(first.git ?? emptyDocument),
          first.title,
        );
      else
        await vscode.commands.executeCommand(
          'vscode.changes',
          `${plan.ref.name}: cluster ${plan.cluster} ↔ Git`,
          pairs.map(({ cluster, git }) => {
            const label = git ?? cluster ?? emptyDocument;
            return [uriOf(label), cluster && uriOf(cluster), git && uriOf(git)];
          }),
        );
      return true;
    },
    showText: async (name, text) => {
      const address = { path: `/${name.replaceAll('/', '_')}`, query: '' };
      texts.set(address.path, text);
      changed.fire(uriOf(address));
      await vscode.window.showTextDocument(uriOf(address), { preview: true });
    },
    dispose: () => {
      registration.dispose();
      changed.dispose();
    },
  };
}

const emptyDocument: PlanAddress = { path: '/nothing.yaml', query: '' };

function uriOf(address: PlanAddress): vscode.Uri {
  return vscode.Uri.from({ scheme: planScheme, ...address });
}
