import { QuestionRefused, TextRefused } from '../models/models.errors.js';
import { DomainError } from '../platform/errors/domain-error.js';
import { isLedgerAway } from '../platform/errors/ledger-away.js';
import { TenantDeleted } from '../tenancy/tenancy-errors.js';

/** The tenant is not, or no longer, this process's to look after. */
const ELSEWHERE: ReadonlySet<string> = new Set(['tenant.suspended', 'placement.elsewhere']);

/** Whether a failure is of a store or model that does not answer, or of where the tenant is, and not of what was asked. */
export function isAway(error: unknown): boolean {
  if (isLedgerAway(error)) return true;
  if (error instanceof TextRefused || error instanceof QuestionRefused) return false;
  // By its class: to a caller it is a token that is not valid.
  if (error instanceof TenantDeleted) return true;
  if (!(error instanceof DomainError)) return false;
  const { code, details } = error as DomainError;
  return details.retryAfter !== undefined || code === 'model.unavailable' || ELSEWHERE.has(code);
}
