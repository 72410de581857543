// A real OpenID provider for the tests: the npm package oidc-provider with one client that may use client_credentials, JWT access
// tokens for api://users, opaque ones for api://opaque, which a second client may ask about (introspection, revocation), and RS256
// keys that can be rotated. It takes a free port, prints one line of JSON when it is ready, and then
// obeys lines on its standard input: "rotate" adds a new signing key in front, "retire" drops all keys but the newest.
// End of input ends it.
import { createServer } from 'node:http';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const makeKeyPair = promisify(generateKeyPair);
let generation = 0;

async function makeKey() {
  const { privateKey } = await makeKeyPair('rsa', { modulusLength: 2048 });
  generation += 1;
  return { ...privateKey.export({ format: 'jwk' }), kid: `provider-${generation}`, alg: 'RS256', use: 'sig' };
}

function makeProvider(issuer, keys) {
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'machine', client_secret: 'not-a-secret-of-anybody', grant_types: ['client_credentials'], redirect_uris: [],
      response_types: [], token_endpoint_auth_method: 'client_secret_post',
    }, {
      // Both with characters that must be encoded before they go into Basic (RFC 6749 2.3.1).
      client_id: 'gate:way', client_secret: 'p%20ss: +&/w', grant_types: ['client_credentials'], redirect_uris: [],
      response_types: [], token_endpoint_auth_method: 'client_secret_basic',
    }],
    jwks: { keys },
    scopes: ['items:read', 'items:write'],
    extraTokenClaims: () => ({ tenant_id: 'acme', roles: ['admin', 'user'] }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context, resource) => ({
          audience: resource, scope: 'items:read items:write', accessTokenFormat: resource === 'api://opaque' ? 'opaque' : 'jwt',
          accessTokenTTL: 3600, jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  return provider.callback();
}

const server = createServer((request, response) => handle(request, response));
let handle = (request, response) => response.writeHead(503).end();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

let keys = [await makeKey()];
handle = makeProvider(issuer, keys);
const tell = (what) => process.stdout.write(`${JSON.stringify({ what, issuer, kids: keys.map((key) => key.kid) })}\n`);
tell('ready');

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rotate') keys = [await makeKey(), ...keys];
  if (line === 'retire') keys = [keys[0]];
  handle = makeProvider(issuer, keys);
  tell(line);
}
process.exit(0);
