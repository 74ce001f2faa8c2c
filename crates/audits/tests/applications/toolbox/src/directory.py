import json

import ldap
from ldap.filter import escape_filter_chars


def handler(event, context):
    query = event["queryStringParameters"]
    connection = ldap.initialize("ldap://directory.internal")
    found = connection.search_s("ou=people", ldap.SCOPE_SUBTREE, f"(cn={query['name']})")  # weak: directory-injection
    safe = connection.search_s("ou=people", ldap.SCOPE_SUBTREE, f"(cn={escape_filter_chars(query['name'])})")
    origin = event["headers"].get("origin")
    return {
        "statusCode": 200,
        "headers": {
            "Access-Control-Allow-Origin": origin,  # weak: permissive-cors
            "Access-Control-Allow-Credentials": "true",
            "content-type": "application/json",
        },
        "body": json.dumps([str(found), str(safe)]),
    }
