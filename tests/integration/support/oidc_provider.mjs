// A real OpenID provider for the tests: the npm package oidc-provider with one client that may use client_credentials, JWT access
// tokens for api://users, opaque ones for api://opaque, which a second client may ask about (introspection, revocation), and a key
// that can be rotated for each algorithm that its arguments name (RS256, ES256, EdDSA; RS256 if there are none). It takes a free
// port, prints one line of JSON when it is ready, and then obeys lines on its standard input: "rotate" adds new signing keys in
// front, "retire" drops all but the newest.
// End of input ends it.
import { createServer } from 'node:http';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const makeKeyPair = promisify(generateKeyPair);
let generation = 0;

const algorithms = process.argv.length > 2 ? process.argv.slice(2) : ['RS256'];
const kinds = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }], EdDSA: ['ed25519', {}] };

async function makeKey(alg) {
  const { privateKey } = await makeKeyPair(...kinds[alg]);
  generation += 1;
  return { ...privateKey.export({ format: 'jwk' }), kid: `provider-${generation}`, alg, use: 'sig' };
}

const makeKeys = () => Promise.all(algorithms.map(makeKey));

// Access tokens for api://users and api://users/ES256 differ in how they are signed, and in nothing else.
function audienceAndAlgorithm(resource) {
  const named = algorithms.find((alg) => resource.endsWith(`/${alg}`));
  return named ? [resource.slice(0, -named.length - 1), named] : [resource, 'RS256'];
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
        getResourceServerInfo: (context, resource) => {
          const [audience, alg] = audienceAndAlgorithm(resource);
          return {
            audience, scope: 'items:read items:write', accessTokenFormat: resource === 'api://opaque' ? 'opaque' : 'jwt',
            accessTokenTTL: 3600, jwt: { sign: { alg } },
          };
        },
      },
    },
  });
  return provider.callback();
}

const server = createServer((request, response) => handle(request, response));
let handle = (request, response) => response.writeHead(503).end();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

let keys = await makeKeys();
handle = makeProvider(issuer, keys);
const tell = (what) => process.stdout.write(`${JSON.stringify({ what, issuer, kids: keys.map((key) => key.kid) })}\n`);
tell('ready');

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rotate') keys = [...await makeKeys(), ...keys];
  if (line === 'retire') keys = keys.slice(0, algorithms.length);
  handle = makeProvider(issuer, keys);
  tell(line);
}
process.exit(0);
