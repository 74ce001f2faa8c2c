//! Applications that somebody could have written, and the paths that lead through them.

use crate::Report;
use findings::Severity;

/// What a scan says of a template and one file of Python.
fn scan(template: &str, code: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("template.yaml"), template).unwrap();
    std::fs::write(folder.path().join("app.py"), code).unwrap();
    let mut loaded = crate::load(folder.path(), &crate::Options::default()).unwrap();
    crate::report(&mut loaded, (2026, 11, 24))
}

/// `severity id: title`, in order.
fn told(report: &Report) -> Vec<String> {
    report.attack_paths.iter().map(|path| format!("{} {}: {}", path.severity, path.id, path.title)).collect()
}

fn steps(report: &Report, at: usize) -> Vec<&str> {
    report.attack_paths[at].steps.iter().map(|step| step.what.as_str()).collect()
}

const SHELL: &str =
    "import os\ndef handler(event, context):\n    os.system('convert ' + event['queryStringParameters']['file'])\n";

fn open(events: &str, policies: &str, rest: &str) -> String {
    format!(
        r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {{ Type: AWS::DynamoDB::Table, Properties: {{ KeySchema: [], AttributeDefinitions: [] }} }}
  Convert:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.14
      Handler: app.handler
      CodeUri: .
      Events: {{ {events} }}
      Policies: [{policies}]
{rest}
"#
    )
}

const ROUTE: &str = "Get: { Type: HttpApi, Properties: { Path: /convert, Method: get } }";

#[test]
fn code_that_anyone_runs_reaches_what_the_role_reaches() {
    let report = scan(&open(ROUTE, "{ DynamoDBCrudPolicy: { TableName: !Ref Orders } }", ""), SHELL);
    assert_eq!(
        told(&report),
        [
            "critical code-execution: anyone can run code in `Convert`, and with its role read, change and delete table `Orders`"
        ]
    );
    let told = steps(&report, 0);
    assert!(told[0].starts_with("anyone calls `GET /convert`"), "{told:?}");
    assert!(told[1].contains("`queryStringParameters.file`"), "{told:?}");
    assert!(told[2].contains("the role `ConvertRole` can read, change and delete table `Orders`"), "{told:?}");
    let path = &report.attack_paths[0];
    assert_eq!(
        (path.steps[1].finding, path.functions.as_slice()),
        (Some("shell-injection"), &["Convert".to_string()][..])
    );
    assert!(path.steps.iter().all(|step| step.span.is_some()));
}

#[test]
fn a_denial_takes_the_loss_away() {
    let policies = "{ DynamoDBCrudPolicy: { TableName: !Ref Orders } }, { Statement: [{ Effect: Deny, Action: 'dynamodb:*', Resource: '*' }] }";
    let report = scan(&open(ROUTE, policies, ""), SHELL);
    assert_eq!(told(&report), ["high code-execution: anyone can run code in `Convert`"]);
}

#[test]
fn what_nobody_hostile_reaches_is_no_path() {
    let clock = "Tick: { Type: Schedule, Properties: { Schedule: rate(1 day) } }";
    for (events, code) in [(clock, SHELL), (ROUTE, "import os\ndef handler(event, context):\n    os.system('date')\n")]
    {
        assert_eq!(told(&scan(&open(events, "AmazonDynamoDBFullAccess", ""), code)), [""; 0], "{events}");
    }
}

#[test]
fn a_role_that_writes_its_own_policies_makes_a_stranger_administrator() {
    let policies = "{ Statement: [{ Effect: Allow, Action: 'iam:PutRolePolicy', Resource: '*' }] }";
    let report = scan(&open(ROUTE, policies, ""), SHELL);
    let told = told(&report);
    assert!(
        matches!(told.as_slice(), [one] if one.starts_with("critical code-execution") && one.ends_with("become administrator by it")),
        "{told:?}"
    );
    let found = report.findings.iter().find(|finding| finding.id == "privilege-escalation").unwrap();
    assert_eq!((found.severity, found.function.as_deref()), (Severity::High, Some("Convert")));
    assert!(found.remediation.contains("Rhino Security Labs"), "{}", found.remediation);
}

#[test]
fn a_queue_that_the_open_function_fills_feeds_the_weak_one() {
    let rest = r#"
  Jobs: { Type: AWS::SQS::Queue }
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.14
      Handler: app.work
      CodeUri: .
      Policies: [{ DynamoDBCrudPolicy: { TableName: !Ref Orders } }]
      Events: { Jobs: { Type: SQS, Properties: { Queue: !GetAtt Jobs.Arn } } }
"#;
    let template = open(ROUTE, "{ SQSSendMessagePolicy: { QueueName: !GetAtt Jobs.QueueName } }", rest).replace(
        "      CodeUri: .\n      Events: { Get",
        "      CodeUri: .\n      Environment: { Variables: { JOBS: !Ref Jobs } }\n      Events: { Get",
    );
    let code = r#"import boto3, os
sqs = boto3.client("sqs")
def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["JOBS"], MessageBody=event["body"])
def work(event, context):
    os.system("convert " + event["Records"][0]["body"])
"#;
    let report = scan(&template, code);
    let path = &report.attack_paths[0];
    assert_eq!(path.functions, ["Convert", "Worker"], "{:?}", told(&report));
    assert!(path.title.starts_with("anyone can run code in `Worker`"), "{}", path.title);
    assert!(steps(&report, 0)[1].contains("hands it on to `Jobs`, which feeds `Worker`"), "{:?}", steps(&report, 0));
    // That what is handed on is what came in is likely, not sure.
    assert_eq!(path.severity, Severity::High);
}

#[test]
fn the_code_of_many_functions_is_one_path() {
    let others: String = (1..=6)
        .map(|number| {
            format!(
                "  Other{number}:\n    Type: AWS::Serverless::Function\n    Properties: {{ Runtime: python3.14, Handler: app.other, CodeUri: ., Policies: [{{ DynamoDBCrudPolicy: {{ TableName: !Ref Orders }} }}] }}\n"
            )
        })
        .collect();
    let policies = "{ Statement: [{ Effect: Allow, Action: 'lambda:UpdateFunctionCode', Resource: '*' }] }";
    let report = scan(&open(ROUTE, policies, &others), &format!("{SHELL}def other(event, context):\n    pass\n"));
    let told = told(&report);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].contains("can replace the code of `Other1`, `Other2` and 4 more from within `Convert`"),
        "{told:?}"
    );
    assert!(told[1].contains("read, change and delete table `Orders`"), "{told:?}");
}

#[test]
fn roles_that_stand_open_are_paths_by_themselves() {
    let role = |principal: &str, condition: &str| {
        format!(
            r#"
Resources:
  Orders: {{ Type: AWS::DynamoDB::Table, Properties: {{ KeySchema: [], AttributeDefinitions: [] }} }}
  Reader:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{ Statement: [{{ Effect: Allow, Action: 'sts:AssumeRole', Principal: {principal}{condition} }}] }}
      Policies: [{{ PolicyName: p, PolicyDocument: {{ Statement: [{{ Effect: Allow, Action: 'dynamodb:*', Resource: !GetAtt Orders.Arn }}] }} }}]
"#
        )
    };
    let of = |principal: &str, condition: &str| {
        let report = scan(&role(principal, condition), "");
        let findings: Vec<String> = report
            .findings
            .iter()
            .filter(|found| found.id == "permissive-role-trust")
            .map(|found| found.severity.to_string())
            .collect();
        (findings, told(&report))
    };
    let (findings, paths) = of("{ AWS: '*' }", "");
    assert_eq!(findings, ["critical"]);
    assert_eq!(
        paths,
        [
            "critical open-role: anyone with an AWS account can act as role `Reader` and read, change and delete table `Orders`"
        ]
    );
    assert_eq!(of("{ AWS: !Sub 'arn:aws:iam::${AWS::AccountId}:root' }", ""), (vec!["low".to_string()], vec![]));
    assert_eq!(of("{ AWS: '*' }", ", Condition: { StringEquals: { 'aws:PrincipalOrgID': o-1 } }"), (vec![], vec![]));
    assert_eq!(of("{ Service: lambda.amazonaws.com }", ""), (vec![], vec![]));
}

#[test]
fn guests_of_an_identity_pool_have_what_its_role_has() {
    let template = |guests: bool| {
        format!(
            r#"
Resources:
  Files: {{ Type: AWS::S3::Bucket }}
  Pool: {{ Type: AWS::Cognito::IdentityPool, Properties: {{ AllowUnauthenticatedIdentities: {guests} }} }}
  Given:
    Type: AWS::Cognito::IdentityPoolRoleAttachment
    Properties: {{ IdentityPoolId: !Ref Pool, Roles: {{ unauthenticated: !GetAtt Guest.Arn }} }}
  Guest:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{ Statement: [{{ Effect: Allow, Action: 'sts:AssumeRoleWithWebIdentity', Principal: {{ Federated: cognito-identity.amazonaws.com }} }}] }}
      Policies: [{{ PolicyName: p, PolicyDocument: {{ Statement: [{{ Effect: Allow, Action: ['s3:GetObject', 's3:DeleteObject'], Resource: !Sub '${{Files.Arn}}/*' }}] }} }}]
"#
        )
    };
    let report = scan(&template(true), "");
    assert_eq!(
        told(&report),
        ["critical open-role: anyone can act as role `Guest` and read and delete bucket `Files`"]
    );
    assert_eq!(told(&scan(&template(false), "")), [""; 0]);
}

#[test]
fn users_and_groups_have_paths_of_their_own() {
    let template = r#"
Resources:
  Ann:
    Type: AWS::IAM::User
    Properties:
      UserName: ann
      Policies: [{ PolicyName: p, PolicyDocument: { Statement: [{ Effect: Allow, Action: 'iam:AttachUserPolicy', Resource: '*' }] } }]
  Bob:
    Type: AWS::IAM::User
    Properties:
      UserName: bob
      Policies: [{ PolicyName: p, PolicyDocument: { Statement: [{ Effect: Allow, Action: 'iam:List*', Resource: '*' }] } }]
"#;
    let report = scan(template, "");
    assert_eq!(told(&report), ["high privilege-escalation: user `ann` can become administrator"]);
    assert_eq!(steps(&report, 0)[0], "somebody has the keys of user `ann`");
    let found: Vec<&str> = report
        .findings
        .iter()
        .filter(|found| found.id == "privilege-escalation")
        .map(|found| found.title.as_str())
        .collect();
    assert_eq!(found, ["user `ann` can become administrator: it attaches any policy to a user: itself"]);
}

#[test]
fn a_comment_allows_an_escalation_as_it_does_any_finding() {
    let template = r#"
Resources:
  Ann:
    Type: AWS::IAM::User
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              # ringfence: allow privilege-escalation -- she is who gives permissions here
              - { Effect: Allow, Action: 'iam:AttachUserPolicy', Resource: '*' }
"#;
    let report = scan(template, "");
    assert!(report.findings.iter().all(|finding| finding.id != "privilege-escalation"));
    assert_eq!(report.allowed.len(), 1);
}

#[test]
fn what_rises_and_falls_says_why() {
    let upload = "New: { Type: S3, Properties: { Bucket: !Ref Inbox, Events: 's3:ObjectCreated:*' } }";
    let bucket = r#"
  Inbox:
    Type: AWS::S3::Bucket
    Properties:
      AccessControl: PublicReadWrite
      PublicAccessBlockConfiguration: { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false }
      OwnershipControls: { Rules: [{ ObjectOwnership: ObjectWriter }] }
"#;
    let code = "import os\ndef handler(event, context):\n    os.system('convert ' + event['Records'][0]['s3']['object']['key'])\n";
    let report = scan(&open(upload, "AmazonS3FullAccess", bucket), code);
    let shell = report.findings.iter().find(|finding| finding.id == "shell-injection").unwrap();
    assert_eq!(shell.severity, Severity::Critical);
    assert!(
        shell
            .related
            .iter()
            .any(|label| label.message.starts_with("critical rather than high, since anyone can run code"))
    );
    // The same upload into a bucket that isn't open is whoever's who may write there.
    let report = scan(&open(upload, "AmazonS3FullAccess", "  Inbox: { Type: AWS::S3::Bucket }\n"), code);
    let shell = report.findings.iter().find(|finding| finding.id == "shell-injection").unwrap();
    assert_eq!(shell.severity, Severity::High);
    assert!(told(&report)[0].starts_with("high code-execution: whoever may write to `Inbox`"), "{:?}", told(&report));
}
