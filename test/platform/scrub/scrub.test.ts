import fc from 'fast-check';
import { passesLuhn, passesMod97 } from '../../../src/platform/scrub/number-checks.js';
import { maskOf, scrubJson, scrubText, type Masked } from '../../../src/platform/scrub/scrub.js';
import { SCRUB_KINDS, type ScrubKind } from '../../../src/platform/scrub/secret-finders.js';
import { seedInCi } from '../../support/replayable.js';
import { scrubErrors, scrubKinds } from '../../../src/tenancy/scrub-settings.js';

const scrubbed = (text: string, kinds: readonly ScrubKind[] = SCRUB_KINDS): string =>
  scrubText(text, kinds, 'content', []);

/** Put together here, so that nobody's scanner takes this file for a leak. */
const joined = (...parts: string[]): string => parts.join('');
const SECRETS: [ScrubKind, string][] = [
  ['api_key', joined('AKIA', 'IOSFODNN7EXAMPLE')],
  ['api_key', joined('ghp_', 'a1B2'.repeat(9))],
  ['api_key', joined('github_pat_', '11ABCDEFG0'.repeat(4))],
  ['api_key', joined('glpat-', 'x'.repeat(20))],
  ['api_key', joined('sk-', 'proj-', 'aB3_'.repeat(10))],
  ['api_key', joined('sk_live_', '4eC39HqLyjWDarjtT1zdp7dc')],
  ['api_key', joined('AIza', 'SyA-12345_'.repeat(3), 'abcde')],
  ['api_key', joined('xoxb-', '123456789012-', 'abcdefghij')],
  ['api_key', joined('npm_', 'a'.repeat(36))],
  ['api_key', joined('hf_', 'b'.repeat(34))],
  ['api_key', joined('loci_live_', 'c'.repeat(32))],
  ['api_key', joined('ya29.', 'a0Af_-'.repeat(8))],
  ['api_key', joined('pypi-', 'AgEIcHlwaS5vcmc'.repeat(4))],
  ['api_key', joined('dop_v1_', '0f'.repeat(32))],
  ['api_key', joined('shpat_', '0f'.repeat(16))],
  ['api_key', joined('hvs.', 'CAES1IJ'.repeat(6))],
  ['api_key', joined('dp.pt.', 'aB3'.repeat(14))],
  ['api_key', joined('gsk_', 'aB3d'.repeat(13))],
  ['api_key', joined('SK', '0f'.repeat(16))],
  ['api_key', joined('key-', '0f'.repeat(16))],
  ['api_key', joined('216731154', ':AA', 'g5EGmIwQdkwBqRwda28DyToyoX8OaGNm9')],
  ['api_key', joined('MTE', 'aB3'.repeat(7), '.GhIjKl.', 'aB3'.repeat(9))],
  ['token', joined('eyJhbGciOiJIUzI1NiJ9.', 'eyJzdWIiOiIxMjM0In0.', 'dBjftJeZ4CVP-mB92K27')],
  ['email', 'ada.lovelace+notes@mail.example.org'],
  ['email', 'jürgen@müller.example'],
  ['card_number', '4111 1111 1111 1111'],
  ['card_number', '5555-5555-5555-4444'],
  ['card_number', '378282246310005'],
  ['card_number', '4111.1111.1111.1111'],
  ['iban', 'DE89 3704 0044 0532 0130 00'],
  ['iban', 'GB82WEST12345698765432'],
  ['phone', '+49 (30) 901820-11'],
  ['private_key', joined('-----BEGIN RSA PRIVATE', ' KEY-----\nMIIE\n-----END RSA PRIVATE', ' KEY-----')],
];

describe('what is masked', () => {
  it.each(SECRETS)('is a %s: %s', (kind, secret) => {
    for (const [before, after] of [
      ['', ''],
      ['It is ', ', as I said.'],
      ['Take "', '" (12 of them)\n'],
      ['größe: ', ' 数字'],
    ] as const) {
      const masked: Masked[] = [];
      expect(scrubText(`${before}${secret}${after}`, SCRUB_KINDS, 'content', masked)).toBe(
        `${before}${maskOf(kind)}${after}`,
      );
      expect(masked).toEqual([{ kind, count: 1, field: 'content' }]);
    }
  });

  it('is only the value where a name tells what it is', () => {
    expect(scrubbed('password = "hunter2-and-more", user=ada')).toBe(
      'password = "[masked:password]", user=ada',
    );
    expect(scrubbed(`Authorization: Bearer ${'aZ09'.repeat(6)}`)).toBe(
      'Authorization: Bearer [masked:token]',
    );
    expect(scrubbed('postgres://ada:open-sesame@db.example/x')).toBe(
      'postgres://[masked:token]@db.example/x',
    );
    for (const name of [
      'aws_secret_access_key',
      'CLOUDFLARE_API_TOKEN',
      'DISCORD_TOKEN',
      'AccountKey',
      'signing_key',
    ]) {
      expect(scrubbed(`${name} = ${'aZ09'.repeat(10)}==`)).toBe(`${name} = [masked:password]`);
    }
    expect(scrubbed(`https://hooks.slack.com/services/${joined('T0AB/B0CD/', 'aZ09'.repeat(6))}`)).toBe(
      'https://hooks.slack.com/services/[masked:api_key]',
    );
    expect(scrubbed(`api_key: ${joined('ghp_', 'a1B2'.repeat(9))}`)).toBe('api_key: [masked:api_key]');
  });

  it('is a card’s number amid other digits, and an IBAN amid words in capitals', () => {
    expect(scrubbed('12 4111 1111 1111 1111 was it')).toBe('12 [masked:card_number] was it');
    expect(scrubbed('4111111111111111 12/27')).toBe('[masked:card_number] 12/27');
    expect(scrubbed('DE89 3704 0044 0532 0130 00 IST ES')).toBe('[masked:iban] IST ES');
  });

  it('is what is glued to something else that is masked', () => {
    const glued = joined('AIza', 'SyA-12345_'.repeat(3), 'abcde?', 'a@b.example_bob@c.example');
    expect(scrubbed(glued)).toBe('[masked:api_key]?[masked:email][masked:email]');
  });

  it('is a key that was cut off, to its last line', () => {
    expect(scrubbed(joined('a -----BEGIN PRIVATE', ' KEY-----\nMIIE\nmore'))).toBe('a [masked:private_key]');
  });

  it('is nothing that merely looks like it', () => {
    for (const harmless of [
      'Order 4111111111111112 of 2026-05-03T10:11:12Z at 10:00',
      'id 550e8400-e29b-41d4-a716-446655440000, sha 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c',
      'sk-learn and task-force-of-many-words, @handle, a@b, x @ y.z',
      'The password was changed. DE89 is no IBAN; call 112 or +1.',
      '0000000000000000 and 3.14159265358979323846',
      'ISBN 978-3-16-148410-0, 2000000000000 ms',
      'secret_ingredient_of_the_sauce, pypi-is-the-package-index-of-python, token: ring, the key: practice',
      'secret_manager_version_2_enabled, vercel_deployment_environment_2, xai-for-explainable-models-2023',
      'primary_key: customer_account_id, sort_key = "created_at_timestamp", cache_key=product:12345:details',
      'object_key: "reports/2024/january/summary.pdf", session_key: NotificationPreferencesService',
      'Version 4111.1111.1111.1112, and dapi is short for something.',
    ]) {
      expect(scrubbed(harmless)).toBe(harmless);
    }
  });

  it('is of the kinds that were asked for, and no others', () => {
    const text = 'ada@mail.example +49 30 90182011';
    expect(scrubbed(text, ['email'])).toBe('[masked:email] +49 30 90182011');
    expect(scrubbed(text, [])).toBe(text);
  });
});

describe('masking', () => {
  const piece = fc.oneof(
    fc.constantFrom(...SECRETS.map(([, secret]) => secret), ' ', '\n', '@', '.', ':', '[', 'eyJ', '4'),
    fc.string(),
  );
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(' ')),
  );

  it('changes nothing when it is done again', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const once = scrubbed(text);
        const again: Masked[] = [];
        expect(scrubText(once, SCRUB_KINDS, 'content', again)).toBe(once);
        expect(again).toEqual([]);
      }),
      { numRuns: 500, seed: seedInCi(20_260_901) },
    );
  });

  it('leaves no secret that stands between words, however many there are', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...SECRETS), { minLength: 1, maxLength: 8 }), (secrets) => {
        const clean = scrubbed(secrets.map(([, secret]) => secret).join(' and '));
        for (const [, secret] of secrets) expect(clean).not.toContain(secret);
      }),
      { seed: seedInCi(20_260_902) },
    );
  });

  it('tells of a JSON value what and where, and keeps everything else as it is', () => {
    const masked: Masked[] = [];
    const value = {
      tags: ['ok', 'ada@mail.example'],
      at: { card: 4111111111111111, n: [1, 2.5, true, null] },
    };
    expect(scrubJson(value, SCRUB_KINDS, '', masked)).toEqual({
      tags: ['ok', '[masked:email]'],
      at: { card: '[masked:card_number]', n: [1, 2.5, true, null] },
    });
    expect(masked).toEqual([
      { kind: 'email', count: 1, field: 'tags[1]' },
      { kind: 'card_number', count: 1, field: 'at.card' },
    ]);
    fc.assert(fc.property(fc.jsonValue(), (json) => scrubJson(json, [], '', []) === json));
  });

  it('masks names of members, of which two stay two, and what is set under the name of a secret', () => {
    const masked: Masked[] = [];
    const value = {
      'ada@mail.example': 1,
      'bob@mail.example': 2,
      login: { password: 'open sesame', token_count: 'thirty-something-tokens', hint: 'a cave' },
    };
    expect(scrubJson(value, SCRUB_KINDS, 'metadata', masked)).toEqual({
      '[masked:email]': 1,
      '[masked:email] 2': 2,
      login: { password: '[masked:password]', token_count: 'thirty-something-tokens', hint: 'a cave' },
    });
    expect(masked).toEqual([
      { kind: 'email', count: 1, field: 'metadata.[masked:email]' },
      { kind: 'email', count: 1, field: 'metadata.[masked:email] 2' },
      { kind: 'password', count: 1, field: 'metadata.login.password' },
    ]);
  });

  it('takes a time that grows with the text and no faster, whatever is in it', () => {
    const words = ['a', '4', '4 ', 'a@', 'a.', '@a.', 'a@a.', 'x@1.', '-', '://a:', '://', '[masked:'];
    const names = [
      'eyJ',
      'eyJa.',
      'sk-',
      'AKIA',
      'ghp_',
      'Bearer ',
      'password=',
      'password: "',
      'SG.aaaaaaaa',
      'a_token=',
      'a_key=',
      'a_key=a1',
      'pypi-',
      'secret_',
      'MTEaaaaaaaaaaaaaaaaaaaaaaa.',
      '12345678:AA',
    ];
    const numbers = [
      '+1 ',
      '+1',
      'DE89',
      'DE89 3704 ',
      'A1B2 ',
      '41111111111 ',
      '-----BEGIN PRIVATE KEY-----',
    ];
    for (const part of [...words, ...names, ...numbers]) {
      const whole = part.repeat(Math.ceil(65_536 / part.length)).slice(0, 65_536);
      const began = process.cpuUsage();
      scrubbed(whole);
      const { user, system } = process.cpuUsage(began);
      // Tens of milliseconds; a pattern that tries everything again from every place would take minutes.
      expect([part, user + system < 3_000_000]).toEqual([part, true]);
    }
  });
});

describe('the checks of numbers', () => {
  it('fail for every single digit that was mistyped', () => {
    for (let at = 0; at < 16; at++) {
      for (let digit = 0; digit < 10; digit++) {
        const number = [...'4111111111111111'].map((known, i) => (i === at ? String(digit) : known)).join('');
        expect([number, passesLuhn(number)]).toEqual([number, number === '4111111111111111']);
      }
    }
    expect(passesMod97('DE89370400440532013000')).toBe(true);
    expect(passesMod97('DE98370400440532013000')).toBe(false);
  });
});

describe('the setting', () => {
  it('is off unless it says otherwise, and then of every kind or of those that it names', () => {
    expect(scrubKinds({})).toEqual([]);
    expect(scrubKinds({ scrub: 'off' })).toEqual([]);
    expect(scrubKinds({ scrub: { mode: 'off', kinds: ['email'] } })).toEqual([]);
    expect(scrubKinds({ scrub: 'mask' })).toEqual(SCRUB_KINDS);
    expect(scrubKinds({ scrub: { mode: 'mask' } })).toEqual(SCRUB_KINDS);
    expect(scrubKinds({ scrub: { mode: 'mask', kinds: ['phone', 'email'] } })).toEqual(['email', 'phone']);
  });

  it('is refused where it says what nobody understands', () => {
    for (const good of [null, 'off', 'mask', {}, { mode: 'mask', kinds: ['email'] }, { kinds: null }])
      expect(scrubErrors({ scrub: good })).toEqual([]);
    for (const bad of [
      'on',
      true,
      1,
      [],
      { mode: 'yes' },
      { kinds: 'email' },
      { kinds: ['name'] },
      { all: true },
    ])
      expect(scrubErrors({ scrub: bad })).toHaveLength(1);
  });
});
