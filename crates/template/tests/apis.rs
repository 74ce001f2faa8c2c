//! Routes and who may call them: SAM's APIs, OpenAPI documents, plain API Gateway.

#![allow(clippy::unwrap_used)]

mod common;
use common::{Read, read, read_with};
use graph::{Authorization, TriggerKind};

fn routes(read: &Read) -> Vec<String> {
    read.application()
        .triggers
        .iter()
        .filter(|trigger| trigger.kind.is_http())
        .map(|trigger| {
            format!(
                "{} {} -> {} [{}]",
                trigger.method.as_deref().unwrap_or("-"),
                trigger.path.as_deref().unwrap_or("-"),
                trigger.function,
                trigger.authorization.as_ref().unwrap()
            )
        })
        .collect()
}

#[test]
fn implicit_apis_are_resources_with_what_globals_say() {
    let read = read(
        r#"
Transform: AWS::Serverless-2016-10-31
Globals:
  Api:
    TracingEnabled: true
    Auth: { DefaultAuthorizer: AWS_IAM }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: { Type: Api, Properties: { Path: /a, Method: get } }
        B: { Type: HttpApi, Properties: { Path: /b, Method: POST } }
        C: { Type: HttpApi }
Outputs:
  Url: { Value: !Sub 'https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/${ServerlessRestApi.Stage}' }
"#,
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    assert_eq!(routes(&read), ["GET /a -> F [IAM]", "POST /b -> F [none]", "ANY $default -> F [none]"]);
    let api = read.application().resource("ServerlessRestApi").unwrap();
    assert_eq!(api.property("TracingEnabled"), Some(&serde_json::json!(true)));
    assert_eq!(read.application().triggers[0].source.as_ref().unwrap().resource(), Some("ServerlessRestApi"));
    assert!(read.application().resource("ServerlessHttpApi").is_some());
}

#[test]
fn a_definition_says_who_may_call_a_route_that_an_event_names() {
    let definition = r#"
openapi: 3.0.2
paths:
  /price:
    post:
      x-amazon-apigateway-auth: { type: AWS_IAM }
      x-amazon-apigateway-integration: { type: aws_proxy, uri: { 'Fn::Sub': '${F.Arn}' } }
  /orders:
    get:
      security: [{ users: [] }]
  /health:
    get: {}
components:
  securitySchemes:
    users:
      type: apiKey
      in: header
      x-amazon-apigateway-authtype: cognito_user_pools
      x-amazon-apigateway-authorizer: { type: cognito_user_pools, providerARNs: [{ 'Fn::GetAtt': [Pool, Arn] }] }
"#;
    let template = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      DefinitionBody: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: api.yaml } } }
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Price: { Type: Api, Properties: { Path: /price, Method: POST, RestApiId: !Ref Api } }
        Orders: { Type: Api, Properties: { Path: /orders, Method: get, RestApiId: !Ref Api } }
        Health: { Type: Api, Properties: { Path: /health, Method: get, RestApiId: !Ref Api } }
"#;
    let read = read_with("template.yaml", template, &[("api.yaml", definition)]);
    assert_eq!(routes(&read), ["POST /price -> F [IAM]", "GET /orders -> F [Cognito Pool]", "GET /health -> F [none]"]);
}

#[test]
fn an_events_own_authorization_comes_before_the_apis() {
    let read = read(
        r#"
Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Guard: { Type: AWS::Serverless::Function }
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Auth:
        DefaultAuthorizer: Users
        AddDefaultAuthorizerToCorsPreflight: false
        Authorizers:
          Users: { UserPoolArn: !GetAtt Pool.Arn }
          Tokens: { FunctionArn: !GetAtt Guard.Arn }
  Keys:
    Type: AWS::Serverless::Api
    Properties: { StageName: live, Auth: { ApiKeyRequired: true } }
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        EnableIamAuthorizer: true
        Authorizers:
          Staff: { JwtConfiguration: { issuer: 'https://x', audience: [y] } }
          Custom: { FunctionArn: !GetAtt Guard.Arn, AuthorizerPayloadFormatVersion: '2.0' }
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /default, Method: get } }
        B: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /none, Method: get, Auth: { Authorizer: NONE } } }
        C: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /tokens, Method: get, Auth: { Authorizer: Tokens } } }
        D: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /iam, Method: get, Auth: { Authorizer: AWS_IAM } } }
        E: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /preflight, Method: options } }
        F: { Type: Api, Properties: { RestApiId: !Ref Keys, Path: /key, Method: get } }
        G: { Type: Api, Properties: { RestApiId: !Ref Keys, Path: /free, Method: get, Auth: { ApiKeyRequired: false } } }
        H: { Type: Api, Properties: { Path: /own-key, Method: get, Auth: { ApiKeyRequired: true } } }
        I: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /open, Method: get } }
        J: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /staff, Method: get, Auth: { Authorizer: Staff } } }
        K: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /custom, Method: get, Auth: { Authorizer: Custom } } }
        L: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /signed, Method: get, Auth: { Authorizer: AWS_IAM } } }
        M: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /typo, Method: get, Auth: { Authorizer: Staf } } }
"#,
    );
    assert_eq!(
        routes(&read),
        [
            "GET /default -> F [Cognito Pool]",
            "GET /none -> F [none]",
            "GET /tokens -> F [Lambda authorizer Tokens]",
            "GET /iam -> F [IAM]",
            "OPTIONS /preflight -> F [none]",
            "GET /key -> F [API key]",
            "GET /free -> F [none]",
            "GET /own-key -> F [API key]",
            "GET /open -> F [none]",
            "GET /staff -> F [JWT Staff]",
            "GET /custom -> F [Lambda authorizer Custom]",
            "GET /signed -> F [IAM]",
            "GET /typo -> F [unresolved Staf]",
        ]
    );
    assert_eq!(read.complaints(), ["42: `Http` has no authorizer `Staf` (did you mean `Staff`?)"]);
    let guards = read.application().triggers_of("Guard").count();
    assert_eq!(guards, 2, "the authorizer function is started by both APIs");
}

#[test]
fn request_models_that_are_enforced_are_body_schemas() {
    let read = read(
        r#"
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Models:
        Order: { type: object, required: [id], properties: { id: { type: string } } }
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /a, Method: post, RequestModel: { Model: Order, ValidateBody: true } } }
        B: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /b, Method: post, RequestModel: { Model: Order } } }
"#,
    );
    let schema = read.application().triggers[0].body_schema.as_ref().unwrap();
    assert_eq!(schema.name, "Order");
    assert_eq!(schema.schema["required"], serde_json::json!(["id"]));
    assert!(read.application().triggers[1].body_schema.is_none(), "declared, but nobody checks it");
}

const DOCUMENT: &str = r##"
openapi: 3.0.1
x-amazon-apigateway-request-validators: { bodies: { validateRequestBody: true } }
security: [{ users: [] }]
paths:
  /orders:
    post:
      x-amazon-apigateway-request-validator: bodies
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
      x-amazon-apigateway-integration:
        type: aws_proxy
        httpMethod: POST
        uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
    get:
      security: []
      x-amazon-apigateway-integration:
        uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}:live/invocations
    options:
      x-amazon-apigateway-integration: { type: mock }
  /{proxy+}:
    x-amazon-apigateway-any-method:
      security: [{ sig: [] }, { key: [] }]
      x-amazon-apigateway-integration:
        uri: { 'Fn::Join': ['', ['arn:aws:apigateway:', { Ref: 'AWS::Region' }, ':lambda:path/2015-03-31/functions/', { 'Fn::GetAtt': [F, Arn] }, /invocations]] }
  /key:
    get:
      security: [{ key: [] }]
      x-amazon-apigateway-integration: { uri: !GetAtt F.Arn }
components:
  schemas:
    Order: { type: object, properties: { item: { $ref: '#/components/schemas/Item' } } }
    Item: { type: object, properties: { parts: { type: array, items: { $ref: '#/components/schemas/Item' } } } }
  securitySchemes:
    users: { type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: cognito_user_pools, x-amazon-apigateway-authorizer: { type: cognito_user_pools, providerARNs: [!GetAtt Pool.Arn] } }
    sig: { type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4 }
    key: { type: apiKey, name: x-api-key, in: header }
"##;

fn check_document(read: &Read) {
    assert_eq!(
        routes(read),
        [
            "POST /orders -> F [Cognito Pool]",
            "GET /orders -> F [none]",
            "ANY /{proxy+} -> F [IAM]",
            "GET /key -> F [API key]"
        ]
    );
    let schema = read.application().triggers[0].body_schema.as_ref().unwrap();
    assert_eq!(schema.name, "Order");
    assert_eq!(schema.schema["properties"]["item"]["$ref"], "#/$defs/Item");
    assert_eq!(
        schema.schema["$defs"]["Item"]["properties"]["parts"]["items"]["$ref"], "#/$defs/Item",
        "a schema that refers to itself stays whole"
    );
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}

#[test]
fn an_inline_definition_makes_routes() {
    for resource in ["AWS::Serverless::Api", "AWS::ApiGateway::RestApi"] {
        let property = if resource.contains("Serverless") { "DefinitionBody" } else { "Body" };
        let read = read(&format!(
            "Resources:\n  Pool: {{Type: AWS::Cognito::UserPool}}\n  F: {{Type: AWS::Serverless::Function}}\n  Api:\n    Type: {resource}\n    Properties:\n      {property}:\n{}",
            indented(DOCUMENT, 8)
        ));
        assert_eq!(read.complaints(), Vec::<String>::new());
        check_document(&read);
        assert_eq!(read.at(read.application().triggers[0].span), "post");
    }
}

#[test]
fn a_definition_in_a_file_makes_routes_there() {
    let template = |property: &str| {
        format!(
            "Resources:\n  Pool: {{Type: AWS::Cognito::UserPool}}\n  F: {{Type: AWS::Serverless::Function}}\n  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      {property}\n"
        )
    };
    let by_uri = read_with("app/t.yaml", &template("DefinitionUri: ./api.yaml"), &[("app/api.yaml", DOCUMENT)]);
    check_document(&by_uri);
    assert_eq!(by_uri.sources.path(by_uri.application().triggers[0].span), "app/api.yaml");
    let include = "DefinitionBody: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: api.yaml } } }";
    check_document(&read_with("app/t.yaml", &template(include), &[("app/api.yaml", DOCUMENT)]));
    let absent = read(&template("DefinitionUri: s3://bucket/api.yaml"));
    assert_eq!(
        absent.complaints(),
        ["7: the definition of `Api` (`s3://bucket/api.yaml`) is not here (its routes are missing from what is said)"]
    );
}

#[test]
fn an_event_and_a_definition_for_one_route_are_one_trigger() {
    let read = read(
        r##"
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      DefinitionBody:
        swagger: '2.0'
        x-amazon-apigateway-request-validator: all
        x-amazon-apigateway-request-validators: { all: { validateRequestBody: true } }
        definitions: { Order: { type: object } }
        paths:
          /a:
            post:
              parameters: [{ in: body, name: body, schema: { $ref: '#/definitions/Order' } }]
              x-amazon-apigateway-integration:
                uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations'
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events: { Post: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /a, Method: post } } }
"##,
    );
    let trigger = read.trigger("F");
    assert_eq!((trigger.name.as_str(), trigger.body_schema.as_ref().unwrap().name.as_str()), ("Post", "Order"));
}

#[test]
fn plain_rest_apis_have_their_paths_authorizers_and_models() {
    let read = read(
        r#"
Resources:
  F: { Type: AWS::Lambda::Function, Properties: { FunctionName: orders } }
  Pool: { Type: AWS::Cognito::UserPool }
  Api: { Type: AWS::ApiGateway::RestApi, Properties: { Name: shop } }
  Orders: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders } }
  One: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !Ref Orders, PathPart: '{id}' } }
  Users: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Api, Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Pool.Arn] } }
  Model: { Type: AWS::ApiGateway::Model, Properties: { RestApiId: !Ref Api, Schema: '{"type": "object"}' } }
  Validator: { Type: AWS::ApiGateway::RequestValidator, Properties: { RestApiId: !Ref Api, ValidateRequestBody: true } }
  Post:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Orders
      HttpMethod: POST
      AuthorizationType: COGNITO_USER_POOLS
      AuthorizerId: !Ref Users
      RequestValidatorId: !Ref Validator
      RequestModels: { application/json: !Ref Model }
      Integration: { Type: AWS_PROXY, Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations' }
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref One
      HttpMethod: GET
      ApiKeyRequired: true
      AuthorizationType: NONE
      Integration: { Type: AWS_PROXY, Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:orders/invocations' }
  Mock:
    Type: AWS::ApiGateway::Method
    Properties: { RestApiId: !Ref Api, ResourceId: !Ref One, HttpMethod: OPTIONS, Integration: { Type: MOCK } }
"#,
    );
    assert_eq!(routes(&read), ["POST /orders -> F [Cognito Pool]", "GET /orders/{id} -> F [API key]"]);
    assert_eq!(
        read.application().triggers[0].body_schema.as_ref().unwrap().schema,
        serde_json::json!({"type": "object"})
    );
}

#[test]
fn plain_http_and_websocket_apis_have_their_routes() {
    let read = read(
        r#"
Resources:
  F: { Type: AWS::Lambda::Function }
  G: { Type: AWS::Lambda::Function }
  Http: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: h, ProtocolType: HTTP } }
  Quick: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: q, ProtocolType: HTTP, Target: !GetAtt F.Arn } }
  Socket: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: s, ProtocolType: WEBSOCKET } }
  HttpIntegration: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Http, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn } }
  SocketIntegration: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Socket, IntegrationType: AWS_PROXY, IntegrationUri: !Sub 'arn:aws:apigateway:x:lambda:path/2015-03-31/functions/${G.Arn}/invocations' } }
  Jwt: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref Http, AuthorizerType: JWT } }
  R: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Http, RouteKey: 'GET /a', AuthorizationType: JWT, AuthorizerId: !Ref Jwt, Target: !Join ['/', [integrations, !Ref HttpIntegration]] } }
  Connect: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Socket, RouteKey: $connect, AuthorizationType: AWS_IAM, Target: !Sub 'integrations/${SocketIntegration}' } }
  Send: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Socket, RouteKey: send, Target: !Sub 'integrations/${SocketIntegration}' } }
"#,
    );
    assert_eq!(
        routes(&read),
        ["GET /a -> F [JWT Jwt]", "- $connect -> G [IAM]", "- send -> G [IAM]", "ANY $default -> F [none]"]
    );
    assert_eq!(
        read.application().triggers[2].kind,
        TriggerKind::WebSocket,
        "what $connect asks holds for the connection"
    );
}

#[test]
fn a_permission_without_a_route_still_tells_that_something_calls() {
    let read = read(
        r#"
Resources:
  F: { Type: AWS::Lambda::Function }
  P: { Type: AWS::Lambda::Permission, Properties: { FunctionName: !Ref F, Action: 'lambda:InvokeFunction', Principal: apigateway.amazonaws.com } }
"#,
    );
    let trigger = read.trigger("F");
    assert_eq!(trigger.kind, TriggerKind::RestApi);
    assert_eq!(trigger.authorization, Some(Authorization::Unknown("apigateway.amazonaws.com".into())));
}
