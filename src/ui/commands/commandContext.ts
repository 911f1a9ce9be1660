import type { EngineClient } from '../engineClient.ts';
import type { Log } from '../log.ts';
import type { PlanContent } from '../planContent.ts';
import type { WorkspaceState } from '../workspaceState.ts';

/** What commands work with. */
export interface CommandContext {
  readonly engine: EngineClient;
  readonly state: WorkspaceState;
  readonly plans: PlanContent;
  readonly log: Log;
}

/** A command; the argument is a tree row, an ObjectRef, a document's URI, or nothing when it comes from the palette. */
export type Command = (ctx: CommandContext, argument: unknown) => Promise<void>;
