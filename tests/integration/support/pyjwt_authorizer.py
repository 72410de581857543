"""A Lambda authorizer with PyJWT, written as the service's guides write them. It does the checks of `gatehouse:jwt` and gives its context.

Any runtime client runs it; the tests use tests/support/lambda_runtime.py.
"""

import os
import re

import jwt

ISSUER = os.environ["ISSUER"]
AUDIENCE = os.environ["AUDIENCE"].split(",")
ALGORITHMS = os.environ["ALGORITHMS"].split(",")
KEYS = jwt.PyJWKClient(os.environ["JWKS_URI"])

# RFC 6750 2.1, and RFC 9110 11.4: one or more spaces behind the scheme.
BEARER = re.compile(r"(?i:bearer) +([-0-9A-Za-z._~+/]+=*)")


def verify(authorization):
    """The claims of a good token; an exception of any kind for all others."""
    token = BEARER.fullmatch(authorization).group(1)
    if "crit" in jwt.get_unverified_header(token):  # which PyJWT looks at in its latest versions only
        raise ValueError("an extension that is not understood")
    key = KEYS.get_signing_key_from_jwt(token).key
    required = {"require": ["exp", "iss", "aud", "sub"]}
    claims = jwt.decode(token, key, ALGORITHMS, options=required, issuer=ISSUER, audience=AUDIENCE)
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise ValueError("sub is no text")
    return claims


def roles_of(claims):
    roles = claims.get("roles")
    if roles is None:
        return ["user"]
    return roles if isinstance(roles, list) else [roles]


def statements(claims, stage):
    def statement(effect, resource):
        return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{stage}/{resource}"}

    yield statement("Allow", "GET/*")
    if claims.get("read_only") is None:
        yield statement("Allow", "*")
    if "banned" in roles_of(claims):
        yield statement("Deny", "*")


def handler(event, _):
    try:
        claims = verify(event["authorizationToken"])
    except Exception:
        raise Exception("Unauthorized") from None  # exactly this text is 401, any other 500
    stage = "/".join(event["methodArn"].split("/")[:2])
    tenant = claims.get("tenant_id")
    return {
        "principalId": claims["sub"],
        "policyDocument": {"Version": "2012-10-17", "Statement": list(statements(claims, stage))},
        "context": {
            "userId": claims["sub"],
            "tenantId": "default" if tenant is None else tenant,
            "roles": ",".join(map(str, roles_of(claims))),
        },
    }
