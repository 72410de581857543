"""The same authorizer as lambda_handler.mjs, for tests/support/lambda_runtime.py."""


def handler(event, _headers):
    token = event["authorizationToken"].removeprefix("Bearer ")
    if token != "good":
        raise Exception("Unauthorized")
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event.get("methodArn", "*")}
    return {"principalId": token, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
