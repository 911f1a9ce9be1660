import type { CodeAction, CompletionItem, DocumentLink, Hover, Location } from 'vscode-languageserver-types';
import type { Position, Range } from '../base/position.ts';
import type { LanguageSession, Located } from './languageSession.ts';

interface OfDocument {
  readonly textDocument: { readonly uri: string };
}
type At = OfDocument & { readonly position: Position };
type Within = OfDocument & { readonly range: Range };

/** The answers to the requests that `capabilities` announces; null for a file in no folder. */
export interface LspRequests {
  completion(params: At): CompletionItem[] | null;
  hover(params: At): Hover | null;
  definition(params: At): Location[] | null;
  documentLink(params: OfDocument): DocumentLink[] | null;
  codeAction(params: Within): CodeAction[] | null;
}

/** What the server can do, in the protocol's terms: 2 is incremental text sync. */
export const capabilities = {
  textDocumentSync: 2 as const,
  completionProvider: { triggerCharacters: [' ', '/'] },
  hoverProvider: true,
  definitionProvider: true,
  documentLinkProvider: {},
  codeActionProvider: { codeActionKinds: ['quickfix'] },
  workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
};

/** Answers requests from the services of a session. */
export function createLspRequests(session: LanguageSession): LspRequests {
  const answer =
    <P extends OfDocument, R>(give: (located: Located, params: P) => R | undefined) =>
    (params: P): R | null => {
      const located = session.locate(params.textDocument.uri);
      return (located && give(located, params)) ?? null;
    };
  return {
    completion: answer(({ service, path }, { position }: At) => service.completions(path, position)),
    hover: answer(({ service, path }, { position }: At) => service.hover(path, position)),
    definition: answer(({ service, path }, { position }: At) => service.definitions(path, position)),
    documentLink: answer(({ service, path }) => service.links(path)),
    codeAction: answer(({ service, path }, { range }: Within) => service.quickFixes(path, range)),
  };
}
