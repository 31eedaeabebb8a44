import { QuestionRefused, TextRefused } from '../models/models.errors.js';
import { DomainError } from '../platform/errors/domain-error.js';
import { isLedgerAway } from '../platform/errors/ledger-away.js';

/** The tenant is not, or no longer, this process's to look after. */
const ELSEWHERE: ReadonlySet<string> = new Set(['tenant.suspended', 'tenant.deleted', 'placement.elsewhere']);

/** Whether a failure is of a store or model that does not answer, or of where the tenant is, and not of what was asked. */
export function isAway(error: unknown): boolean {
  if (isLedgerAway(error)) return true;
  if (error instanceof TextRefused || error instanceof QuestionRefused) return false;
  if (!(error instanceof DomainError)) return false;
  const { code, details } = error as DomainError;
  return details.retryAfter !== undefined || code === 'model.unavailable' || ELSEWHERE.has(code);
}
