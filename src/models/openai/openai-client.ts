import OpenAI, { type ClientOptions } from 'openai';

export const OPENAI_URL = 'https://api.openai.com/v1';

/**
 * A client of the endpoint at `baseURL`, such as `https://api.openai.com/v1`. Nothing is taken from the environment, nothing
 * is logged, nothing is retried, no redirect is followed with the key. An empty key is none: local endpoints ask for none.
 * `fetch`: by which requests are sent; else Node's own.
 */
export function openAiClient(
  baseURL: string,
  apiKey: string,
  fetch?: NonNullable<ClientOptions['fetch']>,
): OpenAI {
  return new OpenAI({
    baseURL,
    // The package asks for one, whoever needs it or not.
    ...(apiKey === '' ? { apiKey: 'none', defaultHeaders: { Authorization: null } } : { apiKey }),
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: 'off',
    fetchOptions: { redirect: 'error' },
    ...(fetch === undefined ? {} : { fetch }),
  });
}
