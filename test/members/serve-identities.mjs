/**
 * An OpenID provider, the npm package `oidc-provider`, as a process of its own: it ships ES modules only. Reads its
 * settings as JSON from the first argument, prints its address once it listens, and ends with its standard input.
 */
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { port, keys, accounts, redirectUri } = JSON.parse(process.argv[2]);
const AUDIENCE = 'https://loci.example/acme';

const server = createServer();
server.listen(port, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: 'web',
        client_secret: 'web-secret',
        redirect_uris: [redirectUri],
        id_token_signed_response_alg: 'ES256',
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        client_id: 'nightly-import',
        client_secret: 'import-secret',
        id_token_signed_response_alg: 'ES256',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], tenant: ['tenant_id'] },
    scopes: ['openid', 'email', 'tenant'],
    conformIdTokenClaims: false,
    pkce: { required: () => false },
    cookies: { keys: ['only for tests'] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_context, _client, given) => given ?? [],
        getResourceServerInfo: () => ({
          scope: 'memory:read memory:write search',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  process.stdout.write(`${issuer}\n`);
});
process.stdin.on('end', () => process.exit()).resume();
