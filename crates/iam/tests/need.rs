//! The least policy, from a template and a handler to actions on resources.

#![allow(clippy::unwrap_used)]

mod support;

use support::{application, needs};

/// A function `F` with these variables and whatever else stands in the template.
fn template(variables: &str, rest: &str) -> String {
    let variables: String = variables.lines().map(|line| format!("          {}\n", line.trim())).collect();
    format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
         Runtime: python3.12\n      Handler: app.handler\n      CodeUri: .\n      Environment:\n        Variables:\n{variables}          NONE: x\n{rest}"
    )
}

const TABLE: &str = "  Orders:\n    Type: AWS::DynamoDB::Table\n";

#[test]
fn a_table_of_the_template_is_named_by_its_arn() {
    let code = "import os, boto3\ntable = boto3.resource('dynamodb').Table(os.environ['TABLE'])\n\
                def handler(event, context):\n    table.put_item(Item={'id': '1'})\n    return table.get_item(Key={'id': '1'})\n";
    let found = needs(&template("TABLE: !Ref Orders", TABLE), "app.py", code);
    assert_eq!(found, ["dynamodb:GetItem ${Orders.Arn}", "dynamodb:PutItem ${Orders.Arn}"]);
}

#[test]
fn an_index_is_needed_by_the_query_that_names_one_and_by_no_other() {
    let code = |query: &str| {
        format!(
            "import os, boto3\nfrom boto3.dynamodb.conditions import Key\ntable = boto3.resource('dynamodb').Table(os.environ['TABLE'])\n\
             def handler(event, context):\n    return table.query({query})\n"
        )
    };
    let with = needs(
        &template("TABLE: !Ref Orders", TABLE),
        "app.py",
        &code("IndexName='by-mail', KeyConditionExpression=Key('mail').eq('a')"),
    );
    assert_eq!(with, ["dynamodb:Query ${Orders.Arn}", "dynamodb:Query ${Orders.Arn}/index/*"]);
    let without =
        needs(&template("TABLE: !Ref Orders", TABLE), "app.py", &code("KeyConditionExpression=Key('id').eq('a')"));
    assert_eq!(without, ["dynamodb:Query ${Orders.Arn}"]);
}

#[test]
fn names_written_out_become_arns_or_the_resource_that_is_called_so() {
    let code = "import boto3\ndb = boto3.client('dynamodb')\n\
                def handler(event, context):\n    db.get_item(TableName='orders', Key={})\n    db.get_item(TableName='users', Key={})\n";
    let rest = "  Orders:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      TableName: orders\n";
    assert_eq!(
        needs(&template("", rest), "app.py", code),
        [
            "dynamodb:GetItem ${Orders.Arn}",
            "dynamodb:GetItem arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/users",
        ]
    );
}

#[test]
fn objects_and_buckets_are_told_apart() {
    let code = "import { S3Client, GetObjectCommand, ListObjectsV2Command, ListBucketsCommand } from '@aws-sdk/client-s3';\n\
                const s3 = new S3Client({});\nexport const handler = async () => {\n\
                  await s3.send(new ListBucketsCommand({}));\n\
                  await s3.send(new ListObjectsV2Command({ Bucket: process.env.BUCKET }));\n\
                  return s3.send(new GetObjectCommand({ Bucket: process.env.BUCKET, Key: 'a' }));\n};\n";
    let rest = "  Reports:\n    Type: AWS::S3::Bucket\n";
    assert_eq!(
        needs(&template("BUCKET: !Ref Reports", rest), "app.mjs", code),
        ["s3:GetObject ${Reports.Arn}/*", "s3:ListAllMyBuckets *", "s3:ListBucket ${Reports.Arn}"]
    );
}

#[test]
fn queues_topics_secrets_and_parameters_by_their_own_forms() {
    let code = "import os, boto3\n\
                def handler(event, context):\n\
                \x20   boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody='x')\n\
                \x20   boto3.client('sns').publish(TopicArn=os.environ['TOPIC'], Message='x')\n\
                \x20   boto3.client('sns').publish(PhoneNumber='1', Message='x')\n\
                \x20   boto3.client('secretsmanager').get_secret_value(SecretId='shop/key')\n\
                \x20   boto3.client('ssm').get_parameter(Name='/shop/level')\n\
                \x20   boto3.client('lambda').invoke(FunctionName=os.environ['NEXT'])\n";
    let rest = "  Paid:\n    Type: AWS::SQS::Queue\n  News:\n    Type: AWS::SNS::Topic\n  Next:\n    Type: AWS::Lambda::Function\n    Properties:\n      Handler: app.handler\n      Code: .\n";
    let found = needs(&template("QUEUE: !Ref Paid\nTOPIC: !Ref News\nNEXT: !Ref Next", rest), "app.py", code);
    assert_eq!(
        found,
        [
            "lambda:InvokeFunction ${Next.Arn}",
            "secretsmanager:GetSecretValue arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:shop/key-??????",
            "sns:Publish *",
            "sqs:SendMessage ${Paid.Arn}",
            "ssm:GetParameter arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/shop/level",
        ]
    );
}

#[test]
fn what_the_caller_chooses_is_unresolved_and_held_to_what_the_role_names() {
    let code = "import boto3\ndef handler(event, context):\n    boto3.client('s3').get_object(Bucket=event['bucket'], Key='x')\n";
    let open = needs(&template("", ""), "app.py", code);
    assert_eq!(open, ["? s3:GetObject", "s3:GetObject arn:${AWS::Partition}:s3:::*/*"]);
    let rest = "      Policies:\n        - S3ReadPolicy:\n            BucketName: !Ref Reports\n  Reports:\n    Type: AWS::S3::Bucket\n";
    assert_eq!(needs(&template("", rest), "app.py", code), ["? s3:GetObject", "s3:GetObject ${Reports.Arn}/*"]);
}

#[test]
fn an_object_of_the_event_lies_in_the_bucket_that_started_the_function() {
    let code = "import boto3\ndef handler(event, context):\n    r = event['Records'][0]['s3']\n    \
                boto3.client('s3').get_object(Bucket=r['bucket']['name'], Key=r['object']['key'])\n";
    let rest = "      Events:\n        New:\n          Type: S3\n          Properties:\n            Bucket: !Ref Reports\n            Events: s3:ObjectCreated:*\n  Reports:\n    Type: AWS::S3::Bucket\n";
    assert_eq!(needs(&template("", rest), "app.py", code), ["s3:GetObject ${Reports.Arn}/*"]);
}

#[test]
fn connections_are_those_of_the_socket_api_with_the_calls_method() {
    let code = "import boto3\ndef handler(event, context):\n    \
                boto3.client('apigatewaymanagementapi', endpoint_url='https://x').post_to_connection(ConnectionId='1', Data=b'')\n";
    let rest = "  Chat:\n    Type: AWS::ApiGatewayV2::Api\n    Properties:\n      ProtocolType: WEBSOCKET\n";
    assert_eq!(
        needs(&template("", rest), "app.py", code),
        [
            "execute-api:ManageConnections arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Chat}/*/POST/@connections/*"
        ]
    );
}

#[test]
fn a_customers_key_is_needed_with_what_it_encrypts() {
    let code = "import os, boto3\ndef handler(event, context):\n    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody='x')\n";
    let rest = "  Paid:\n    Type: AWS::SQS::Queue\n    Properties:\n      KmsMasterKeyId: !GetAtt Key.Arn\n  Key:\n    Type: AWS::KMS::Key\n";
    assert_eq!(
        needs(&template("QUEUE: !Ref Paid", rest), "app.py", code),
        ["kms:Decrypt ${Key.Arn}", "kms:GenerateDataKey ${Key.Arn}", "sqs:SendMessage ${Paid.Arn}"]
    );
}

#[test]
fn a_picture_that_rekognition_fetches_takes_the_callers_permission() {
    let code = |image: &str| {
        format!(
            "import boto3\ndef handler(event, context):\n    r = event['Records'][0]['s3']\n    boto3.client('rekognition').detect_labels(Image={image})\n"
        )
    };
    let rest = "      Events:\n        New:\n          Type: S3\n          Properties:\n            Bucket: !Ref Photos\n            Events: s3:ObjectCreated:*\n  Photos:\n    Type: AWS::S3::Bucket\n";
    let stored =
        needs(&template("", rest), "app.py", &code("{'S3Object': {'Bucket': r['bucket']['name'], 'Name': 'x'}}"));
    assert_eq!(stored, ["rekognition:DetectLabels *", "s3:GetObject ${Photos.Arn}/*"]);
    assert_eq!(needs(&template("", rest), "app.py", &code("{'Bytes': b''}")), ["rekognition:DetectLabels *"]);
}

#[test]
fn the_role_that_a_call_hands_on_has_to_be_passed() {
    let code = |role: &str| {
        format!(
            "import os, boto3\ndef handler(event, context):\n    boto3.client('lambda').create_function(FunctionName='n', Role={role}, Code={{}}, Runtime='python3.12', Handler='a.b')\n"
        )
    };
    let rest = "  Worker:\n    Type: AWS::IAM::Role\n";
    let passed = |role: &str| {
        let found = needs(&template("ROLE: !GetAtt Worker.Arn", rest), "app.py", &code(role));
        found.into_iter().filter(|line| line.starts_with("iam:")).collect::<Vec<_>>()
    };
    assert_eq!(passed("os.environ['ROLE']"), ["iam:PassRole ${Worker.Arn}"]);
    assert_eq!(passed("'arn:aws:iam::1:role/x'"), ["iam:PassRole arn:aws:iam::1:role/x"]);
}

#[test]
fn a_profile_of_bedrock_takes_its_model_too() {
    let code = "import boto3\ndef handler(event, context):\n    boto3.client('bedrock-runtime').invoke_model(modelId='eu.amazon.nova-lite-v1:0', body='{}')\n";
    assert_eq!(
        needs(&template("", ""), "app.py", code),
        [
            "bedrock:InvokeModel arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:inference-profile/eu.amazon.nova-lite-v1:0",
            "bedrock:InvokeModel arn:${AWS::Partition}:bedrock:*::foundation-model/amazon.nova-lite-v1:0",
        ]
    );
}

#[test]
fn the_platform_is_kept_apart_and_labelled() {
    let rest = "      Tracing: Active\n      Events:\n        In:\n          Type: SQS\n          Properties:\n            Queue: !GetAtt Paid.Arn\n  Paid:\n    Type: AWS::SQS::Queue\n";
    let (application, sources) =
        application(&template("", rest), "app.py", "def handler(event, context):\n    return 1\n");
    let policy = iam::least_privilege(&application, &application.functions[0], &sources);
    assert!(policy.statements.is_empty());
    let lines: Vec<String> = policy
        .platform
        .iter()
        .map(|platform| {
            format!("{}: {} on {}", platform.label, platform.need.actions.join(" "), platform.need.resources[0])
        })
        .collect();
    assert_eq!(
        lines,
        [
            "logs: logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents on arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/${AWS::StackName}-F-*:*",
            "tracing: xray:PutTelemetryRecords xray:PutTraceSegments on *",
            "polling of ${Paid.Arn}: sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage on ${Paid.Arn}",
        ]
    );
}

#[test]
fn excess_is_told_per_statement_and_only_where_all_code_was_read() {
    let rest = "      Policies:\n        - DynamoDBReadPolicy:\n            TableName: !Ref Orders\n        - Statement:\n            - Effect: Allow\n              Action: s3:*\n              Resource: '*'\n            - Effect: Allow\n              Action: dynamodb:GetItem\n              Resource: !GetAtt Orders.Arn\n  Orders:\n    Type: AWS::DynamoDB::Table\n";
    let code = "import os, boto3\ntable = boto3.resource('dynamodb').Table(os.environ['TABLE'])\ndef handler(event, context):\n    return table.get_item(Key={'id': '1'})\n";
    let (application, sources) = application(&template("TABLE: !Ref Orders", rest), "app.py", code);
    let policy = iam::least_privilege(&application, &application.functions[0], &sources);
    let identity = application.identity_of(&application.functions[0]).unwrap();
    let found = iam::excess(&application, identity, &[&policy]).unwrap();
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].words.contains("needs dynamodb:GetItem only"), "{}", found[0].words);
    assert!(found[0].actions.contains(&"dynamodb:Scan") && !found[0].unneeded);
    assert!(found[1].unneeded && found[1].words.starts_with("nothing needs s3:"), "{}", found[1].words);
    assert_eq!(iam::excess(&application, identity, &[&iam::Policy::default()]), None);
}

const ACCOUNT: &str = "${AWS::Region}:${AWS::AccountId}";

/// What `app.py` needs whose handler does this, `$` standing for the partition, region and account.
fn python(variables: &str, rest: &str, body: &str) -> Vec<String> {
    let code = format!("import os, boto3\ndef handler(event, context):\n    {}\n", body.replace('\n', "\n    "));
    needs(&template(variables, rest), "app.py", &code)
        .into_iter()
        .map(|line| line.replace(ACCOUNT, "$").replace("${AWS::Partition}", "aws"))
        .collect()
}

#[test]
fn a_name_known_in_part_is_a_pattern_and_what_the_role_names_within_it() {
    let body = "boto3.client('ssm').get_parameters_by_path(Path=f\"/app/{os.environ['STAGE']}/{event['tenant']}\")";
    assert_eq!(python("STAGE: prod", "", body), ["ssm:GetParametersByPath arn:aws:ssm:$:parameter/app/prod/*",]);
    let body = "boto3.client('rds').generate_db_auth_token(DBHostname='h', Port=1, DBUsername='app')";
    assert_eq!(python("", "", body), ["rds-db:connect arn:aws:rds-db:$:dbuser:*/app"]);
}

#[test]
fn a_schedule_is_named_within_its_group_and_passes_its_role_on() {
    let rest = "  Role:\n    Type: AWS::IAM::Role\n    Properties: { AssumeRolePolicyDocument: {} }\n";
    let body = "boto3.client('scheduler').create_schedule(Name='tick', ScheduleExpression='rate(1 day)',\n    \
                Target={'Arn': 'a', 'RoleArn': os.environ['ROLE']}, FlexibleTimeWindow={'Mode': 'OFF'})\n\
                boto3.client('scheduler').delete_schedule(Name='tock', GroupName='nightly')";
    assert_eq!(
        python("ROLE: !GetAtt Role.Arn", rest, body),
        [
            "iam:PassRole ${Role.Arn}",
            "scheduler:CreateSchedule arn:aws:scheduler:$:schedule/default/tick",
            "scheduler:DeleteSchedule arn:aws:scheduler:$:schedule/nightly/tock",
        ]
    );
}

#[test]
fn running_a_task_passes_on_the_roles_of_its_definition() {
    let rest = "  Work:\n    Type: AWS::IAM::Role\n    Properties: { AssumeRolePolicyDocument: {} }\n  Task:\n    \
                Type: AWS::ECS::TaskDefinition\n    Properties:\n      TaskRoleArn: !GetAtt Work.Arn\n      \
                ExecutionRoleArn: arn:aws:iam::123456789012:role/execution\n";
    assert_eq!(
        python("TASK: !Ref Task", rest, "boto3.client('ecs').run_task(cluster='c', taskDefinition=os.environ['TASK'])"),
        ["ecs:RunTask ${Task}", "iam:PassRole ${Work.Arn}", "iam:PassRole arn:aws:iam::123456789012:role/execution",]
    );
}

#[test]
fn mail_is_sent_from_an_identity_verified_by_address_or_by_domain() {
    let body = "boto3.client('ses').send_email(Source='Shop <shop@example.com>', Destination={}, Message={})";
    assert_eq!(
        python("", "", body),
        ["ses:SendEmail arn:aws:ses:$:identity/example.com", "ses:SendEmail arn:aws:ses:$:identity/shop@example.com"]
    );
    let body = "boto3.client('ses').send_email(Source=os.environ['SENDER'], Destination={}, Message={})";
    let rest = "Parameters:\n  Sender: { Type: String }\n";
    assert_eq!(python("SENDER: !Ref Sender", rest, body), ["ses:SendEmail arn:aws:ses:$:identity/${Sender}"]);
}

#[test]
fn what_the_caller_may_choose_is_limited_to_its_default() {
    let rest = "  Pages:\n    Type: AWS::S3::Bucket\n";
    let body =
        "bucket = event.get('bucket', os.environ['BUCKET'])\nboto3.client('s3').get_object(Bucket=bucket, Key='k')";
    assert_eq!(python("BUCKET: !Ref Pages", rest, body), ["? s3:GetObject", "s3:GetObject ${Pages.Arn}/*"]);
}

#[test]
fn an_object_told_by_way_of_a_queue_lies_in_the_bucket_that_notifies_it() {
    let rest = "      Events:\n        Queue: { Type: SQS, Properties: { Queue: !GetAtt Inbox.Arn } }\n  Inbox:\n    Type: AWS::SQS::Queue\n  \
                Other:\n    Type: AWS::S3::Bucket\n  Pictures:\n    Type: AWS::S3::Bucket\n    Properties:\n      \
                NotificationConfiguration:\n        QueueConfigurations:\n          - { Event: 's3:ObjectCreated:*', Queue: !GetAtt Inbox.Arn }\n";
    let body = "import json\nrecord = json.loads(event['Records'][0]['body'])['Records'][0]\n\
                boto3.client('s3').get_object(Bucket=record['s3']['bucket']['name'], Key='k')";
    assert_eq!(python("X: y", rest, body), ["s3:GetObject ${Pictures.Arn}/*"]);
}

#[test]
fn a_snapshot_is_made_of_a_database_and_is_something_itself() {
    let rest = "  Database:\n    Type: AWS::RDS::DBInstance\n";
    let body =
        "boto3.client('rds').create_db_snapshot(DBInstanceIdentifier=os.environ['DB'], DBSnapshotIdentifier='s')";
    assert_eq!(
        python("DB: !Ref Database", rest, body),
        ["rds:CreateDBSnapshot ${Database.DBInstanceArn}", "rds:CreateDBSnapshot arn:aws:rds:$:snapshot:*"]
    );
}

#[test]
fn a_qualified_function_is_needed_as_that() {
    let rest = "  Other:\n    Type: AWS::Serverless::Function\n    Properties: { Runtime: python3.12, Handler: a.b, CodeUri: . }\n";
    let body = "boto3.client('lambda').invoke(FunctionName=os.environ['OTHER'])";
    assert_eq!(python("OTHER: !Sub '${Other.Arn}:live'", rest, body), ["lambda:InvokeFunction ${Other.Arn}:live"]);
}
