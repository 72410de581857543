// A JavaScript TOKEN authorizer that verifies an RS256 token with Node's own crypto, and the route behind it.
const crypto = require("crypto");
const fs = require("fs");

const key = crypto.createPublicKey({ key: JSON.parse(fs.readFileSync(process.env.BENCH_JWKS)).keys[0], format: "jwk" });
const body = "x".repeat(1024);

function claimsOf(token) {
  const [head, payload, signature] = token.split(".");
  const good = crypto.verify("RSA-SHA256", Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, "base64url"));
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  if (!good || claims.exp * 1000 <= Date.now() || claims.aud !== "bench") throw new Error("Unauthorized");
  return claims;
}

module.exports.authorizer = async (event) => {
  const claims = claimsOf(event.authorizationToken.replace(/^Bearer /, ""));
  const stage = event.methodArn.split("/").slice(0, 2).join("/");
  return {
    principalId: claims.sub,
    policyDocument: {
      Version: "2012-10-17",
      Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: `${stage}/*` }],
    },
    context: { userId: claims.sub, tenantId: claims.tenant_id },
  };
};

module.exports.items = async () => ({ statusCode: 200, headers: { "Content-Type": "text/plain" }, body });
