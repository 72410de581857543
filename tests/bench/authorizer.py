"""A Lambda authorizer for the bench: says of its one token what gatehouse:jwt says of it, so that hits of both carry the same. It verifies nothing."""
import base64
import json


def handler(event, _headers):
    part = event["authorizationToken"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    stage = "/".join(event["methodArn"].split("/")[:2])
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": stage + "/*"}
    return {
        "principalId": claims["sub"],
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"userId": claims["sub"], "tenantId": claims["tenant_id"], "roles": ",".join(claims["roles"])},
    }
