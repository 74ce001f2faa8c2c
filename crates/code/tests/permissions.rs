//! Permissions that calls ask for beyond their operation's own action, and whose permissions they are.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod support;

use code::Language;
use graph::Behaviour;
use support::{clean, javascript, needs, python, read};

fn typescript(text: &str) -> Behaviour {
    clean(read(&[("index.ts", text)], "index.handler", Language::JavaScript).0)
}

#[test]
fn objects_that_a_service_reads_for_its_caller_are_read_by_the_caller() {
    let text = r#"
import boto3, os
rekognition, textract, transcribe = (boto3.client("rekognition"), boto3.client("textract"), boto3.client("transcribe"))
def handler(event, context):
    place = {"S3Object": {"Bucket": os.environ["PICTURES"], "Name": event["key"]}}
    rekognition.detect_labels(Image=place)
    rekognition.detect_faces(Image={"Bytes": event["bytes"]})
    textract.start_document_text_detection(DocumentLocation=place, OutputConfig={"S3Bucket": "results"})
    transcribe.start_transcription_job(
        TranscriptionJobName="j", Media={"MediaFileUri": f"s3://{os.environ['AUDIO']}/{event['key']}"},
        OutputBucketName="texts")
"#;
    assert_eq!(
        needs(&python(text)),
        [
            "rekognition:DetectFaces on nothing",
            "rekognition:DetectLabels on nothing",
            "s3:GetObject on $AUDIO",
            "s3:GetObject on $PICTURES",
            "s3:PutObject on results",
            "s3:PutObject on texts",
            "textract:StartDocumentTextDetection on nothing",
            "transcribe:StartTranscriptionJob on nothing",
        ]
    );
}

#[test]
fn a_role_that_is_handed_on_reads_and_writes_instead_and_takes_a_permission_to_pass_it() {
    let text = r#"
import boto3, os
ROLE = os.environ["SCRIBE_ROLE"]
def handler(event, context):
    boto3.client("transcribe").start_medical_scribe_job(
        MedicalScribeJobName="j", Media={"MediaFileUri": "s3://talks/x.mp3"}, OutputBucketName="talks",
        DataAccessRoleArn=ROLE, Settings={})
    boto3.client("scheduler").create_schedule(
        Name="in-an-hour-" + event["id"], ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": event["arn"], "RoleArn": "arn:aws:iam::123456789012:role/scheduler"})
    boto3.client("scheduler").list_schedules(GroupName="x")
    boto3.client("bedrock-runtime").converse(modelId="m", messages=[{"role": "user", "content": []}])
"#;
    assert_eq!(
        needs(&python(text)),
        [
            "bedrock:InvokeModel on m",
            "iam:PassRole on $SCRIBE_ROLE",
            "iam:PassRole on arn:aws:iam::123456789012:role/scheduler",
            "scheduler:CreateSchedule on default/in-an-hour-{the event}",
            "scheduler:ListSchedules on nothing",
            "transcribe:StartMedicalScribeJob on nothing",
        ]
    );
}

#[test]
fn athena_reads_tables_and_writes_results_for_its_caller() {
    let text = r#"
import { AthenaClient, StartQueryExecutionCommand } from "@aws-sdk/client-athena";
const athena = new AthenaClient({});
export const handler = async () => athena.send(new StartQueryExecutionCommand({
    QueryString: "SELECT 1", WorkGroup: "reports",
    ResultConfiguration: { OutputLocation: `s3://${process.env.RESULTS}/out/` },
}));
"#;
    assert_eq!(
        needs(&typescript(text)),
        [
            "athena:StartQueryExecution on reports",
            "glue:GetDatabase on ?",
            "glue:GetPartitions on ?",
            "glue:GetTable on ?",
            "s3:GetBucketLocation on $RESULTS",
            "s3:GetObject on $RESULTS",
            "s3:ListBucket on $RESULTS",
            "s3:PutObject on $RESULTS",
        ]
    );
}

#[test]
fn only_a_language_to_be_found_out_asks_comprehend() {
    let call = |code: &str| {
        let text = format!(
            "import boto3\ndef handler(event, context):\n    boto3.client('translate').translate_text(\
             Text=event['text'], SourceLanguageCode={code}, TargetLanguageCode='de')\n"
        );
        needs(&python(&text)).len()
    };
    assert_eq!((call("'auto'"), call("'en'")), (2, 1));
}

#[test]
fn calls_made_in_another_role_take_none_of_this_ones_permissions() {
    let text = r#"
import { STSClient, AssumeRoleCommand } from "@aws-sdk/client-sts";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
const sts = new STSClient({});
const own = DynamoDBDocumentClient.from(new DynamoDBClient({ region: "eu-west-1" }));
export const handler = async (event) => {
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: process.env.TENANT_ROLE, RoleSessionName: "t" }));
    const client = new DynamoDBClient({
        credentials: { accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey },
    });
    await DynamoDBDocumentClient.from(client).send(new PutCommand({ TableName: "tenants", Item: event }));
    await own.send(new GetCommand({ TableName: "settings", Key: {} }));
};
"#;
    assert_eq!(needs(&javascript(text)), ["dynamodb:GetItem on settings", "sts:AssumeRole on $TENANT_ROLE"]);
    let text = r#"
import boto3
def handler(event, context):
    key = boto3.client("sts").assume_role(RoleArn="arn:aws:iam::1:role/other", RoleSessionName="x")["Credentials"]
    session = boto3.Session(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    session.resource("dynamodb").Table("theirs").put_item(Item=event)
    boto3.client("s3", aws_access_key_id=key["AccessKeyId"]).get_object(Bucket="theirs", Key="k")
    boto3.Session().client("s3").get_object(Bucket="ours", Key="k")
"#;
    assert_eq!(needs(&python(text)), ["s3:GetObject on ours", "sts:AssumeRole on arn:aws:iam::1:role/other"]);
}

#[test]
fn a_helper_asks_for_what_its_work_takes_and_versions_are_deleted_as_such() {
    let text = r#"
import boto3
s3 = boto3.resource("s3")
def handler(event, context):
    bucket = s3.Bucket("b")
    bucket.upload_file("/tmp/x", "x")
    bucket.objects.all().delete()
    bucket.object_versions.delete()
    boto3.client("s3").delete_objects(Bucket="c", Delete={"Objects": [{"Key": "k", "VersionId": "v"}]})
"#;
    assert_eq!(
        needs(&python(text)),
        [
            "s3:DeleteObject on b",
            "s3:DeleteObject on c",
            "s3:DeleteObjectVersion on b",
            "s3:DeleteObjectVersion on c",
            "s3:ListBucket on b",
            "s3:ListBucketVersions on b",
            "s3:PutObject on b",
        ]
    );
}

#[test]
fn tokens_of_databases_are_permissions_to_connect() {
    let text = r#"
import boto3, os
import aurora_dsql_psycopg2 as dsql
def handler(event, context):
    boto3.client("rds").generate_db_auth_token(DBHostname=os.environ["HOST"], Port=3306, DBUsername="app", Region="eu-west-1")
    dsql.connect(**{"host": os.environ["CLUSTER"], "user": "admin"})
"#;
    assert_eq!(needs(&python(text)), ["dsql:DbConnectAdmin on $CLUSTER", "rds-db:connect on {?}/app"]);
    let text = r#"
import { Signer } from "@aws-sdk/rds-signer";
export const handler = async () => {
    const signer = new Signer({ hostname: process.env.HOST!, port: 5432, username: process.env.USER_NAME! });
    return signer.getAuthToken();
};
"#;
    assert_eq!(needs(&typescript(text)), ["rds-db:connect on {?}/{$USER_NAME}"]);
}

#[test]
fn names_that_are_known_in_part_are_patterns() {
    let text = r#"
import boto3, os
def handler(event, context):
    stage = os.environ["STAGE"]
    boto3.client("ssm").get_parameters_by_path(Path=f"/app/{stage}/{event['tenant']}", Recursive=True)
    boto3.resource("dynamodb").Table("orders-" + stage).get_item(Key={})
    boto3.client("ses").send_email(Source="Shop <no-reply@" + os.environ["DOMAIN"] + ">", Destination={}, Message={})
"#;
    assert_eq!(
        needs(&python(text)),
        [
            "dynamodb:GetItem on orders-{$STAGE}",
            "ses:SendEmail on no-reply@{$DOMAIN}",
            "ssm:GetParametersByPath on /app/{$STAGE}/{the event}",
        ]
    );
}

#[test]
fn a_query_says_whether_it_reads_an_index() {
    let text = r#"
import { DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
const client = DynamoDBDocumentClient.from(new DynamoDBClient());
const query = (more: object) => client.send(new QueryCommand({ TableName: "orders", ...more }));
export const handler = async () => { await query({ IndexName: "by-owner" }); };
"#;
    let behaviour = typescript(text);
    assert_eq!(behaviour.calls.iter().map(|call| call.index).collect::<Vec<_>>(), [Some(true)]);
}

#[test]
fn a_durable_context_invokes_in_the_functions_name_and_runs_its_branches() {
    let text = r#"
import os
import boto3
from aws_durable_execution_sdk_python import DurableContext, durable_execution, durable_step

@durable_step
def stored(step, table, other):
    boto3.client("dynamodb").get_item(TableName=table, Key={})

@durable_execution
def handler(event, context: DurableContext):
    first = context.invoke(os.environ["FIRST"], {"id": event["id"]}, name="first")
    context.parallel([lambda branch: branch.invoke(function_name=os.environ["SECOND"], payload=first)])
    context.step(stored(os.environ["TABLE"], "other"))
    context.step(lambda step: boto3.client("sns").publish(TopicArn=os.environ["TOPIC"], Message="done"))
"#;
    assert_eq!(
        needs(&python(text)),
        [
            "dynamodb:GetItem on $TABLE",
            "lambda:InvokeFunction on $FIRST",
            "lambda:InvokeFunction on $SECOND",
            "sns:Publish on $TOPIC"
        ]
    );
}

#[test]
fn a_request_that_the_code_signs_itself_takes_the_services_own_permission() {
    let text = r#"
import { SignatureV4 } from "@smithy/signature-v4";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
export const handler = async () => new SignatureV4({ credentials: defaultProvider(), region: "eu-west-1", service: "appsync" });
"#;
    assert_eq!(needs(&typescript(text)), ["appsync:GraphQL on ?"]);
    let text = r#"
import boto3
from opensearchpy import OpenSearch, AWSV4SignerAuth
def handler(event, context):
    auth = AWSV4SignerAuth(boto3.Session().get_credentials(), "eu-west-1", "aoss")
    OpenSearch(http_auth=auth).index(index="i", body=event)
"#;
    assert_eq!(needs(&python(text)), ["aoss:APIAccessAll on ?"]);
}

#[test]
fn an_extension_beside_the_function_asks_with_its_role() {
    let text = r#"
import os, json, urllib.request, requests
def handler(event, context):
    port = os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", 2773)
    url = f"http://localhost:{port}/secretsmanager/get?secretId={os.environ['SECRET']}&versionStage=AWSCURRENT"
    requests.get(url, headers={"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]})
    urllib.request.urlopen("http://localhost:2773/systemsmanager/parameters/get?name=/app/key")
"#;
    assert_eq!(needs(&python(text)), ["secretsmanager:GetSecretValue on $SECRET", "ssm:GetParameter on /app/key"]);
    let text = r#"
export const handler = async () => fetch(`http://localhost:2772/${process.env.CONFIGURATION}`);
"#;
    assert_eq!(
        needs(&typescript(text)),
        ["appconfig:GetLatestConfiguration on nothing", "appconfig:StartConfigurationSession on nothing"]
    );
}

#[test]
fn each_entry_of_a_transaction_is_on_its_own_table_and_powertools_providers_ask_by_name() {
    let text = r#"
import { DynamoDBDocumentClient, TransactWriteCommand, paginateQuery } from "@aws-sdk/lib-dynamodb";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SSMProvider, getParametersByName } from "@aws-lambda-powertools/parameters/ssm";
import { Upload } from "@aws-sdk/lib-storage";
import { S3Client } from "@aws-sdk/client-s3";
const client = DynamoDBDocumentClient.from(new DynamoDBClient());
export const handler = async () => {
    await client.send(new TransactWriteCommand({ TransactItems: [
        { Put: { TableName: "orders", Item: {} } }, { ConditionCheck: { TableName: "users", Key: {}, ConditionExpression: "" } },
    ] }));
    for await (const page of paginateQuery({ client }, { TableName: "orders" })) console.log(page);
    await new SSMProvider().getMultiple("/shop");
    await getParametersByName({ "/a": {}, "/b": { decrypt: true } });
    await new Upload({ client: new S3Client({}), params: { Bucket: "b", Key: "k", Body: "" } }).done();
};
"#;
    assert_eq!(
        needs(&typescript(text)),
        [
            "dynamodb:ConditionCheckItem on users",
            "dynamodb:PutItem on orders",
            "dynamodb:Query on orders",
            "s3:PutObject on b",
            "ssm:GetParameters on /a",
            "ssm:GetParameters on /b",
            "ssm:GetParametersByPath on /shop",
        ]
    );
}
