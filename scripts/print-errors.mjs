// Prints docs/errors.md from the table of error codes. Run it after `npm run build`.
import { writeFileSync } from 'node:fs';

const { errorGuide } = await import(new URL('../dist/platform/errors/error-guide.js', import.meta.url));
writeFileSync(new URL('../docs/errors.md', import.meta.url), errorGuide());
