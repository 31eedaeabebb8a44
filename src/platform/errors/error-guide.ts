import type { ErrorMeaning } from './error-codes.js';
import { errorCodes } from './error-codes.js';

/** `docs/errors.md`, printed from the table of codes: a heading for each code, so that links hold. */
export function errorGuide(): string {
  const entries: [string, ErrorMeaning][] = Object.entries(errorCodes);
  const sections = entries.map(
    ([code, { status, title, explanation }]) =>
      `## ${code}\n\n<a id="${code}"></a>**${status}** · ${title}\n\n${explanation}\n`,
  );
  return `${HEAD}\n${sections.join('\n')}`;
}

const HEAD = `# Errors

Every error is answered with \`application/problem+json\` (RFC 9457):

\`\`\`json
{
  "type": "/errors/request.invalid",
  "title": "The request is not valid",
  "status": 400,
  "detail": "body.importance must be a number from 0 to 1.",
  "code": "request.invalid",
  "request_id": "0c1f6a34-3f0e-4b7a-9d0e-2f9f4b1c7f10",
  "errors": [{ "location": "body.importance", "message": "must be a number from 0 to 1" }]
}
\`\`\`

\`code\` is a stable word to decide by; \`detail\` is for people and may change. \`errors\` comes with
\`request.invalid\` only. Some codes have members of their own, named below. \`request_id\` is also in the
header \`X-Request-Id\` and in the server's log. 429 and 503 carry \`Retry-After\`, in seconds.

This page is printed from \`src/platform/errors/error-codes.ts\` by \`node scripts/print-errors.mjs\`.
`;
