//! `ringfence map`.

use crate::project;
use crate::project::{HANDLER, SHOP};

#[test]
fn every_format_names_what_there_is() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    for format in ["table", "html", "mermaid", "dot", "json"] {
        shop.run(&["map", ".", "--format", format]).code(0).says("Buy").says("Orders").says("POST /orders");
    }
    shop.run(&["map", "."]).says("public");
}

#[test]
fn the_page_asks_nobody() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let page = shop.run(&["map", ".", "--format", "html"]).code(0).out;
    for foreign in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!page.contains(foreign), "the page holds {foreign}");
    }
}

#[test]
fn a_function_that_only_another_one_invokes_is_reached() {
    let template = "Resources:
  Front:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.13, Handler: front.handler, CodeUri: src, FunctionUrlConfig: { AuthType: AWS_IAM } }
  Back:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.13, Handler: back.handler, CodeUri: src, FunctionName: shop-back }
";
    let front = "import boto3
def handler(event, context):
    boto3.client('lambda').invoke(FunctionName='shop-back', Payload=b'{}')
";
    let app = project()
        .with("template.yaml", template)
        .with("src/front.py", front)
        .with("src/back.py", "def handler(event, context):\n    return 1\n");
    app.run(&["map", "."]).code(0).says("function Front").says("1 internal").never_says("that nothing triggers");
    app.run(&["map", ".", "--format", "html"]).code(0).says("its code invokes this one");
}
