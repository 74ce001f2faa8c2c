//! Which fields of the event a handler reads.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{fields, javascript, python};

#[test]
fn python_fields_go_through_json_loops_and_local_functions() {
    let behaviour = python(
        r#"
import json
def total(order):
    return sum(item["price"] for item in order["items"]) + order.get("shipping", 0)

def handler(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        total(order)
        if "coupon" in order:
            print(order["coupon"])
"#,
    );
    assert_eq!(
        fields(&behaviour),
        [
            "Records!",
            "Records[].body!",
            "Records[].body.coupon",
            "Records[].body.items!",
            "Records[].body.items[].price!",
            "Records[].body.shipping"
        ]
    );
}

#[test]
fn javascript_fields_go_through_destructuring_and_callbacks() {
    let behaviour = javascript(
        r#"
const price = ({ sku, amount = 1 }) => sku + amount;
export const handler = async ({ body, headers, pathParameters: { id } }) => {
  const { items, note } = JSON.parse(body);
  const agent = headers?.["user-agent"];
  return items.map(price).concat(id, agent, note);
};
"#,
    );
    assert_eq!(
        fields(&behaviour),
        [
            "body!",
            "body.items!",
            "body.items[].amount",
            "body.items[].sku",
            "body.note",
            "headers",
            "headers.user-agent",
            "pathParameters!",
            "pathParameters.id"
        ]
    );
}
