import type { ChatTokens } from '../models/chat-model.js';
import type { WorkspaceId } from '../tenancy/tenant.js';
import type { LedgerWrite } from './ledger-write.js';

/** Counts what a language model has taken for a workspace: the meters `llm_input_tokens` and `llm_output_tokens`. */
export function meterTokens(tx: LedgerWrite, workspace: WorkspaceId, { input, output }: ChatTokens): void {
  if (input > 0) tx.meter(workspace, 'llm_input_tokens', input);
  if (output > 0) tx.meter(workspace, 'llm_output_tokens', output);
}
