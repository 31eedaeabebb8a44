import { KEY_BEGINNINGS } from './key-beginnings.js';
import { passesLuhn, passesMod97 } from './number-checks.js';

/** What can be masked; in this order, so that what is part of something larger is masked as that. */
export const SCRUB_KINDS = [
  'private_key',
  'api_key',
  'token',
  'password',
  'email',
  'iban',
  'card_number',
  'phone',
] as const;
export type ScrubKind = (typeof SCRUB_KINDS)[number];

const VALUE = `[^\\s"',;[\\]]`;
const BEGINNINGS = KEY_BEGINNINGS.map((beginning) => beginning.replaceAll('.', '\\.')).join('|');

/** What secrets are called where they are set. */
const SECRET_NAMES = [
  'password|passwd|pwd|passphrase|client[_-]?secret|private[_-]?key|secret[_-]?(?:access[_-]?)?key',
  '(?:api|access|auth|account)[_-]?key|(?:api|access|auth|refresh|bearer)[_-]?token',
].join('|');

/**
 * What nobody has written in words: those have their digits beside them, if any (`rotation-policy-2024`). Looked for in the
 * first hundred of these characters.
 */
function random(characters: string): string {
  const soon = `(?=${characters}{0,80}?`;
  return `${soon}\\d)${soon}(?:[A-Za-z]\\d{1,8}[A-Za-z]|[A-Za-z0-9]{16}))`;
}

/** Where something is in a text: from, and up to. */
export type Span = readonly [from: number, to: number];

/**
 * Finds one kind in a text, in order, none over another. Time is linear in the text's length, whatever is in it: a pattern
 * begins only where a word does, and no part of it can be read in two ways.
 */
type Finder = (text: string) => Span[];

export const FINDERS: Record<ScrubKind, Finder> = {
  // One whose end is cut off goes on to the end of the text.
  private_key: byPatterns(
    /-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----[^]*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----|$)/g,
  ),
  api_key: byPatterns(
    // What is written in words may begin like a key.
    new RegExp(`(?<![\\w-])(?:${BEGINNINGS})${random('[\\w-]')}[\\w-]{20,}`, 'g'),
    /(?<![\w-])(?:AKIA|ASIA)[A-Z0-9]{16}(?![\w-])/g, // AWS
    /(?<![\w-])gh[pousr]_[A-Za-z0-9]{36,}/g, // GitHub
    /(?<![\w-])github_pat_\w{22,}/g,
    /(?<![\w-])glpat-[\w-]{20,}/g, // GitLab
    /(?<![\w-])npm_[A-Za-z0-9]{36,}/g,
    /(?<![\w-])sk-[\w-]{20,}/g, // OpenAI, Anthropic and others
    /(?<![\w-])[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/g, // Stripe
    /(?<![\w-])AIza[\w-]{35,}/g, // Google
    /(?<![\w-])xox[abeprs]-[A-Za-z0-9-]{10,}/g, // Slack
    /(?<=hooks\.slack\.com\/(?:services|workflows|triggers)\/)[\w/-]{20,}/g,
    /(?<=discord(?:app)?\.com\/api\/webhooks\/)\d{10,20}\/[\w-]{20,}/g,
    /(?<![\w-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40}(?![\w-])/g, // Discord
    /(?<![\w-])\d{8,10}:AA[\w-]{32,34}(?![\w-])/g, // Telegram
    /(?<![\w-])(?:SK|key-|dapi)[0-9a-f]{32}(?![\w-])/g, // Twilio, Mailgun, Databricks
    /(?<![\w-])[0-9a-f]{32}-us\d{1,2}(?![\w-])/g, // Mailchimp
    /(?<![\w-])hf_[A-Za-z0-9]{30,}/g, // Hugging Face
    /(?<![\w-])SG\.[\w-]{16,64}\.[\w-]{16,128}/g, // SendGrid
    /(?<![\w-])loci_(?:live|test)_\w{16,}/g,
    /(?<![\w-])whsec_[A-Za-z0-9+/=]{24,}/g, // Standard Webhooks
  ),
  token: byPatterns(
    // A JSON Web Token: two members of JSON, which begin with {", and a signature.
    /(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g,
    /(?<=(?<![\w-])Bearer {1,4})[\w.~+/=-]{16,}/gi,
    // user:password@ of a URL.
    /(?<=:\/\/)[^\s:@/[\]]{0,64}:[^\s:@/[\]]{1,256}(?=@)/g,
  ),
  password: byPatterns(
    new RegExp(`(?<=(?<![a-z])(?:${SECRET_NAMES})["']? {0,4}[:=] {0,4}["']?)${VALUE}{6,}`, 'gi'),
    // 'AccountKey' of a connection string, DISCORD_TOKEN: less of a name, so more of a value.
    /(?<=(?:[a-z0-9]_(?:token|secret)|(?:account|access)key)["']? {0,4}[:=] {0,4}["']?)[^\s"',;[\]]{16,}/gi,
    // A key may be of a table, a cache or a translation as well.
    new RegExp(`(?<=[a-z0-9]_key["']? {0,4}[:=] {0,4}["']?)${random(VALUE)}${VALUE}{16,}`, 'gi'),
  ),
  email: byPatterns(
    /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62})\.){1,8}\p{L}[\p{L}\p{N}-]{1,62}/gu,
  ),
  iban: (text) =>
    byPatterns(
      /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?![A-Za-z0-9])/g,
    )(text).flatMap(([from, to]) => {
      const length = ibanLength(text.slice(from, to));
      return length === null ? [] : [[from, from + length] as const];
    }),
  card_number: cardNumbers,
  phone: (text) =>
    byPatterns(/(?<![\w+])\+\d{1,3}(?:[ ()./-]{0,2}\d){6,12}(?!\d)/g)(text).filter(([from, to]) => {
      const digits = text.slice(from, to).replace(/\D/g, '').length;
      return digits >= 8 && digits <= 15;
    }),
};

function byPatterns(...patterns: readonly RegExp[]): Finder {
  return (text) => {
    const spans = patterns.flatMap((pattern) =>
      Array.from(text.matchAll(pattern), ({ 0: found, index }): Span => [index, index + found.length]),
    );
    if (patterns.length > 1) spans.sort(([a], [b]) => a - b);
    let end = 0;
    return spans.filter(([from, to]) => {
      if (from < end) return false;
      end = to;
      return true;
    });
  };
}

/** How much of it is an IBAN: words in capitals may follow one. Null: nothing. */
function ibanLength(text: string): number | null {
  for (let length = text.length; length >= 15; length = text.lastIndexOf(' ', length - 1)) {
    const iban = text.slice(0, length).replaceAll(' ', '');
    if (iban.length >= 15 && iban.length <= 34 && passesMod97(iban)) return length;
  }
  return null;
}

/** Of 13 to 19 digits that begin as issuers' do, in groups or not, and whose last one checks the others. */
function cardNumbers(text: string): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (const { index } of text.matchAll(/(?<!\d)[2-6](?=\d)/g)) {
    if (index < end) continue;
    const run = /^(?:\d{4}(?:\.\d{4}){3}|\d(?:[ -]?\d){12,18})/.exec(text.slice(index, index + 37))?.[0];
    if (run === undefined) continue;
    for (let length = run.length; length > 0; length--) {
      const number = run.slice(0, length);
      if (!/\d$/.test(number) || /\d/.test(text[index + length] ?? '')) continue;
      const digits = number.replace(/\D/g, '');
      if (digits.length < 13) break;
      if (!passesLuhn(digits) || /^(\d)\1+$/.test(digits)) continue;
      end = index + length;
      spans.push([index, end]);
      break;
    }
  }
  return spans;
}
