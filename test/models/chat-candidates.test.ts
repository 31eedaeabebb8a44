import { chatCandidates } from '../../src/modules/policies/chat-candidates.js';
import { DEFAULT_PROFILE, type LlmProfile } from '../../src/modules/policies/llm-profiles.service.js';

describe('the language models of a tenant', () => {
  const asked = (profile: Partial<LlmProfile>, offered = ['offered']) =>
    chatCandidates({ ...DEFAULT_PROFILE, ...profile }, offered).map((one) =>
      one.whose === 'operator'
        ? `operator: ${one.model}`
        : `${one.baseUrl} (${one.key ?? 'own'}): ${one.model}`,
    );
  const base_url = 'https://own.example/v1';
  const other = { name: 'other', base_url: 'https://other.example/v1', models: ['big', 'bigger'] };

  it('are the operator’s where it says nothing, and none where there is none', () => {
    expect(asked({})).toEqual(['operator: offered']);
    expect(asked({}, [])).toEqual([]);
    expect(asked({ default_model: 'small', fallback_chain: ['big'] }, [])).toEqual([]);
  });

  it('are those that it names, in turn, each once, at the endpoint that they are of', () => {
    const offered = ['offered', 'small'];
    expect(asked({ default_model: 'small', fallback_chain: ['offered', 'small'] }, offered)).toEqual([
      'operator: small',
      'operator: offered',
    ]);
    expect(asked({ default_model: 'small', fallback_chain: ['big'], providers: [other] }, offered)).toEqual([
      'operator: small',
      'https://other.example/v1 (other): big',
    ]);
    const profile = { base_url, default_model: 'bigger', fallback_chain: ['small'], providers: [other] };
    expect(asked(profile, [])).toEqual([
      'https://other.example/v1 (other): bigger',
      'https://own.example/v1 (own): small',
    ]);
  });

  it('are never at the operator’s endpoint where it has one of its own', () => {
    expect(asked({ base_url })).toEqual(['https://own.example/v1 (own): offered']);
    expect(asked({ base_url, fallback_chain: ['offered', 'x'] })).toEqual([
      'https://own.example/v1 (own): offered',
      'https://own.example/v1 (own): x',
    ]);
    expect(asked({ base_url }, [])).toEqual([]);
  });

  it('are none at the operator’s endpoint that the operator does not offer, and pays for', () => {
    expect(asked({ default_model: 'dearest' })).toEqual([]);
    expect(asked({ default_model: 'dearest', fallback_chain: ['offered'] })).toEqual(['operator: offered']);
    expect(asked({ fallback_chain: ['dearest'] })).toEqual(['operator: offered']);
  });

  it('are none where it may spend nothing', () => {
    expect(asked({ base_url, default_model: 'small', budget_usd_monthly: 0 })).toEqual([]);
    expect(asked({ budget_usd_monthly: 0.01 })).toEqual(['operator: offered']);
  });
});
