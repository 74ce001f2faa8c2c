def handler(event, context):
    token = event["authorizationToken"]
    user = token.split(".")[0]
    return {
        "principalId": user,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}],  # weak: authorizer-allows-everyone
        },
    }
