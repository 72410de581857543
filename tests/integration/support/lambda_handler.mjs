// A TOKEN authorizer as it would be deployed, run by AWS's own runtime client.
export async function handler(event, context) {
    const token = event.authorizationToken.replace(/^Bearer /, "");
    if (token === "exit") process.exit(9);
    if (token !== "good") throw new Error("Unauthorized");
    return {
        principalId: token,
        policyDocument: {
            Version: "2012-10-17",
            Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: event.methodArn ?? "*" }],
        },
        context: {
            functionName: context.functionName,
            arn: context.invokedFunctionArn,
            traceId: process.env._X_AMZN_TRACE_ID ?? "",
            remaining: context.getRemainingTimeInMillis(),
        },
    };
}
