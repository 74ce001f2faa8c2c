//! SDK calls: from the names people write in Python and JavaScript to operations and the IAM actions they need.

use crate::iam::{self, Access};
use crate::names::snake_case;
use crate::table::{Row, Table};

const SERVICES: Table = Table::new(include_str!("../data/services.txt"));
const OPERATIONS: Table = Table::new(include_str!("../data/operations.txt"));
const WAITERS: Table = Table::new(include_str!("../data/waiters.txt"));
const HELPERS: Table = Table::new(include_str!("../data/helpers.txt"));
const MEMBERS: Table = Table::new(include_str!("../data/boto3_resources.txt"));

/// A service as the SDKs know it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Service(Row);

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Service").field(&self.boto3()).finish()
    }
}

/// One operation of a service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    service: Service,
    row: Row,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Operation").field(&self.row.key()).finish()
    }
}

/// An action that an operation needs only when certain arguments are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditional {
    /// The action.
    pub action: &'static str,
    /// Any of these arguments asks for it; a dot leads into a nested one (`Content.Raw`).
    pub arguments: Vec<&'static str>,
}

/// A waiter: it calls one operation until the resource is in the state it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Its name in the model, such as `TableExists`.
    pub name: &'static str,
    /// The operation it calls.
    pub operation: Operation,
}

/// What a method of a boto3 client does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMethod {
    /// It calls this operation.
    Operation(Operation),
    /// It makes the calls of several operations, which of them depends on sizes and errors: `upload_file`.
    Helper(Vec<Operation>),
    /// Its first argument, or the keyword `ClientMethod`, is the method it signs: `generate_presigned_url`.
    NamesMethod,
    /// Its first argument, or the keyword `operation_name`, is the method to page through: `get_paginator`.
    NamesPaginator,
    /// Its first argument, or the keyword `waiter_name`, is a waiter: `get_waiter`.
    NamesWaiter,
}

/// A function of an SDK that makes other operations' calls, such as lib-dynamodb's `PutCommand`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    /// The service it calls.
    pub service: Service,
    /// The operations it may call.
    pub operations: Vec<Operation>,
}

/// A member of boto3's resource interface, such as `put_item` of `dynamodb.Table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What sort of member.
    pub kind: MemberKind,
    /// The operations that using it calls; empty for a constructor.
    pub operations: Vec<Operation>,
    /// The resource it gives, or yields as a collection.
    pub gives: Option<&'static str>,
}

/// The sorts of members of boto3's resource interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A method that calls its operation: `table.put_item(…)`, `object.load()`.
    Action,
    /// An attribute whose `all()`, `filter()`, `limit()`, `pages()` or iteration call its operation: `bucket.objects`.
    Collection,
    /// An action on every resource of a collection: `bucket.objects.delete()`. It lists, too.
    BatchAction,
    /// Makes another resource and calls nothing: `dynamodb.Table(name)`, `bucket.Object(key)`, `object.Acl()`.
    Constructor,
}

/// All services.
pub fn services() -> impl Iterator<Item = Service> {
    SERVICES.rows().map(Service)
}

/// The service of a boto3 client, `boto3.client("sesv2")`.
#[must_use]
pub fn service_by_boto3(name: &str) -> Option<Service> {
    SERVICES.find_exact(name).map(Service)
}

/// The service of a package of the JavaScript SDK 3: `@aws-sdk/client-dynamodb`.
#[must_use]
pub fn service_by_js_package(package: &str) -> Option<Service> {
    let suffix = package.strip_prefix("@aws-sdk/client-").filter(|suffix| !suffix.is_empty())?;
    services().find(|service| service.0.column(3) == suffix)
}

/// The service of a client class of the JavaScript SDK 3: `DynamoDBClient`, or `DynamoDB` with all methods.
#[must_use]
pub fn service_by_js_client(class: &str) -> Option<Service> {
    let class = class.strip_suffix("Client").unwrap_or(class);
    services().find(|service| service.0.column(4) == class)
}

/// The service of a class of the JavaScript SDK 2, with or without the namespace: `AWS.DynamoDB`, `DynamoDB`.
/// `DynamoDB.DocumentClient` is [`js_v2_document_client`].
#[must_use]
pub fn service_by_js_v2(class: &str) -> Option<Service> {
    let class = class.strip_prefix("AWS.").unwrap_or(class);
    services().find(|service| service.0.list(5).any(|name| name == class))
}

/// A method of `AWS.DynamoDB.DocumentClient`: `put`, `batchGet`.
#[must_use]
pub fn js_v2_document_client(method: &str) -> Option<Helper> {
    js_v2_helper("DynamoDB.DocumentClient", method)
}

/// A method the JavaScript SDK 2 adds to a class: `("S3", "upload")`.
#[must_use]
pub fn js_v2_helper(class: &str, method: &str) -> Option<Helper> {
    let class = class.strip_prefix("AWS.").unwrap_or(class);
    helper(&format!("js2:{class}.{method}"))
}

/// An export of a package of the JavaScript SDK 3 that makes other operations' calls:
/// `("@aws-sdk/lib-dynamodb", "PutCommand")`, `("@aws-sdk/lib-dynamodb", "DynamoDBDocument.put")`,
/// `("@aws-sdk/lib-storage", "Upload")`.
#[must_use]
pub fn js_v3_helper(package: &str, export: &str) -> Option<Helper> {
    helper(&format!("js3:{package}.{export}"))
}

fn helper(key: &str) -> Option<Helper> {
    let row = HELPERS.find_exact(key)?;
    let service = service_by_boto3(row.column(1))?;
    Some(Helper { service, operations: service.listed(row, 2) })
}

impl Service {
    /// The name of its boto3 client, such as `stepfunctions`.
    #[must_use]
    pub fn boto3(self) -> &'static str {
        self.0.key()
    }

    /// The service's identifier in its model, such as `Cognito Identity Provider`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.0.column(1)
    }

    /// The prefixes of the IAM actions its operations need, the usual one first; none when the list of actions
    /// doesn't know the service.
    pub fn iam_prefixes(self) -> impl Iterator<Item = &'static str> {
        self.0.list(2)
    }

    /// The package of the JavaScript SDK 3, by that SDK's naming rule.
    #[must_use]
    pub fn js_package(self) -> String {
        format!("@aws-sdk/client-{}", self.0.column(3))
    }

    /// The client class of the JavaScript SDK 3, by that SDK's naming rule: `DynamoDBClient`.
    #[must_use]
    pub fn js_client(self) -> String {
        format!("{}Client", self.0.column(4))
    }

    /// Its operations.
    pub fn operations(self) -> impl Iterator<Item = Operation> {
        let prefix = format!("{}.", self.boto3());
        // The iterator of the table borrows the prefix only while it searches.
        let rows: Vec<_> = OPERATIONS.starting_with(&prefix).collect();
        rows.into_iter().map(move |row| Operation { service: self, row })
    }

    /// The operation of this name, as in the model and on the wire: `PutItem`.
    #[must_use]
    pub fn operation(self, name: &str) -> Option<Operation> {
        self.any_case(name).filter(|operation| operation.name() == name)
    }

    /// The operation of a boto3 method: `put_item`.
    #[must_use]
    pub fn operation_by_method(self, method: &str) -> Option<Operation> {
        self.any_case(&method.replace('_', "")).filter(|operation| operation.method() == method)
    }

    /// The operation of a method of either JavaScript SDK: `putItem`.
    #[must_use]
    pub fn operation_by_js_method(self, method: &str) -> Option<Operation> {
        self.any_case(method).filter(|operation| {
            let (Some(first), Some(written)) = (operation.name().chars().next(), method.chars().next()) else {
                return false;
            };
            written == first.to_ascii_lowercase() && method.get(1..) == operation.name().get(1..)
        })
    }

    /// The operation of a command of the JavaScript SDK 3: `PutItemCommand`.
    #[must_use]
    pub fn operation_by_js_command(self, command: &str) -> Option<Operation> {
        self.operation(command.strip_suffix("Command")?)
    }

    /// The operation of a paginator function of the JavaScript SDK 3: `paginateScan`.
    #[must_use]
    pub fn operation_by_js_paginator(self, function: &str) -> Option<Operation> {
        self.operation(function.strip_prefix("paginate")?).filter(|operation| operation.paginated())
    }

    /// What a method of the boto3 client does: an operation, or one of boto3's own.
    #[must_use]
    pub fn client_method(self, method: &str) -> Option<ClientMethod> {
        match method {
            "generate_presigned_url" => return Some(ClientMethod::NamesMethod),
            "get_paginator" => return Some(ClientMethod::NamesPaginator),
            "get_waiter" => return Some(ClientMethod::NamesWaiter),
            _ => {}
        }
        if let Some(operation) = self.operation_by_method(method) {
            return Some(ClientMethod::Operation(operation));
        }
        helper(&format!("boto3:{}.{method}", self.boto3())).map(|helper| ClientMethod::Helper(helper.operations))
    }

    /// A waiter, by its name in any SDK: `table_exists`, `TableExists`, `tableExists`, `waitUntilTableExists`.
    #[must_use]
    pub fn waiter(self, name: &str) -> Option<Waiter> {
        let name = name.strip_prefix("waitUntil").or_else(|| name.strip_prefix("waitFor")).unwrap_or(name);
        let row = WAITERS.find(&format!("{}.{}", self.boto3(), name.replace('_', "")))?;
        let operation = self.operation(row.column(1))?;
        let (_, name) = row.key().split_once('.')?;
        Some(Waiter { name, operation })
    }

    /// A member of boto3's resource interface: `("Table", "put_item")`. The resource `ServiceResource` is what
    /// `boto3.resource("dynamodb")` gives. A batch action on a collection is `("Bucket", "objects.delete")`.
    #[must_use]
    pub fn resource_member(self, resource: &str, member: &str) -> Option<Member> {
        let row = MEMBERS.find_exact(&format!("{}.{resource}.{member}", self.boto3()))?;
        let kind = match row.column(1) {
            "action" => MemberKind::Action,
            "collection" => MemberKind::Collection,
            "batch" => MemberKind::BatchAction,
            _ => MemberKind::Constructor,
        };
        let gives = Some(row.column(3)).filter(|name| !name.is_empty());
        Some(Member { kind, operations: self.listed(row, 2), gives })
    }

    fn any_case(self, name: &str) -> Option<Operation> {
        let row = OPERATIONS.find(&format!("{}.{name}", self.boto3()))?;
        Some(Operation { service: self, row })
    }

    fn listed(self, row: Row, column: usize) -> Vec<Operation> {
        row.list(column).filter_map(|name| self.operation(name)).collect()
    }
}

/// Columns: key, needs, conditional actions, flags.
impl Operation {
    /// The service it belongs to.
    #[must_use]
    pub fn service(self) -> Service {
        self.service
    }

    /// Its name in the model, such as `PutItem`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row.key().split_once('.').map_or("", |(_, name)| name)
    }

    /// Its boto3 method, such as `put_item`.
    #[must_use]
    pub fn method(self) -> String {
        self.flag("method=").map_or_else(|| snake_case(self.name()), str::to_owned)
    }

    /// The IAM actions it needs, with their prefixes. `None` when that isn't known; empty when it needs none, as for
    /// calls that aren't signed. See [`Operation::by_arguments`] for how many of several are needed.
    #[must_use]
    pub fn actions(self) -> Option<Vec<&'static str>> {
        match self.row.column(1) {
            "?" => None,
            "-" => Some(Vec::new()),
            "=" => {
                let prefix = self.service.iam_prefixes().next()?;
                iam::action(&format!("{prefix}:{}", self.name())).map(|action| vec![action.name()])
            }
            text => Some(text.split([',', '/']).collect()),
        }
    }

    /// Whether only those of its [`actions`](Operation::actions) are needed that the arguments ask for, as when a
    /// transaction puts and updates but deletes nothing. Otherwise all are.
    #[must_use]
    pub fn by_arguments(self) -> bool {
        self.row.column(1).contains('/')
    }

    /// Actions it needs in addition when certain arguments are given. Only well documented ones are listed.
    #[must_use]
    pub fn conditional(self) -> Vec<Conditional> {
        self.row
            .column(2)
            .split(';')
            .filter_map(|text| text.split_once('@'))
            .map(|(action, arguments)| Conditional { action, arguments: arguments.split(',').collect() })
            .collect()
    }

    /// The most powerful access any of its actions gives; `None` when its actions aren't known or none is needed.
    #[must_use]
    pub fn access(self) -> Option<Access> {
        self.actions()?.into_iter().filter_map(iam::action).map(iam::Action::access).max()
    }

    /// The types of resources its actions can be limited to, such as `table`, without repetition.
    #[must_use]
    pub fn resource_types(self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for action in self.actions().unwrap_or_default().into_iter().filter_map(iam::action) {
            for resource_type in action.resource_types() {
                if !names.contains(&resource_type.name) {
                    names.push(resource_type.name);
                }
            }
        }
        names
    }

    /// Whether the SDKs have a paginator for it.
    #[must_use]
    pub fn paginated(self) -> bool {
        self.flag("paginated").is_some()
    }

    fn flag(self, start: &str) -> Option<&'static str> {
        self.row.list(3).find_map(|flag| flag.strip_prefix(start))
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn actions(service: &str, method: &str) -> Vec<&'static str> {
        service_by_boto3(service).unwrap().operation_by_method(method).unwrap().actions().unwrap()
    }

    #[test]
    fn calls_whose_action_has_another_name_get_the_right_one() {
        for (service, method, expected) in [
            ("s3", "list_objects_v2", "s3:ListBucket"),
            ("s3", "list_objects", "s3:ListBucket"),
            ("s3", "head_object", "s3:GetObject"),
            ("s3", "head_bucket", "s3:ListBucket"),
            ("s3", "list_buckets", "s3:ListAllMyBuckets"),
            ("s3", "delete_objects", "s3:DeleteObject"),
            ("s3", "upload_part", "s3:PutObject"),
            ("s3", "get_bucket_lifecycle_configuration", "s3:GetLifecycleConfiguration"),
            ("s3", "get_bucket_cors", "s3:GetBucketCORS"),
            ("lambda", "invoke", "lambda:InvokeFunction"),
            ("apigatewaymanagementapi", "post_to_connection", "execute-api:ManageConnections"),
            ("apigateway", "get_rest_apis", "apigateway:GET"),
            ("dynamodb", "transact_get_items", "dynamodb:GetItem"),
            ("dynamodb", "put_item", "dynamodb:PutItem"),
            ("dynamodb", "batch_get_item", "dynamodb:BatchGetItem"),
            ("dynamodbstreams", "get_records", "dynamodb:GetRecords"),
            ("sqs", "send_message_batch", "sqs:SendMessage"),
            ("sns", "publish_batch", "sns:Publish"),
            ("sesv2", "send_email", "ses:SendEmail"),
            ("ses", "send_raw_email", "ses:SendRawEmail"),
            ("iot-data", "publish", "iot:Publish"),
            ("stepfunctions", "start_execution", "states:StartExecution"),
            ("cloudwatch", "put_metric_data", "cloudwatch:PutMetricData"),
            ("logs", "put_log_events", "logs:PutLogEvents"),
            ("events", "put_events", "events:PutEvents"),
            ("cognito-idp", "admin_create_user", "cognito-idp:AdminCreateUser"),
            ("bedrock-runtime", "invoke_model", "bedrock:InvokeModel"),
            ("bedrock-runtime", "converse", "bedrock:InvokeModel"),
            ("rds-data", "execute_statement", "rds-data:ExecuteStatement"),
            ("kinesis", "put_records", "kinesis:PutRecords"),
            ("firehose", "put_record_batch", "firehose:PutRecordBatch"),
            ("ssm", "get_parameters_by_path", "ssm:GetParametersByPath"),
            ("secretsmanager", "get_secret_value", "secretsmanager:GetSecretValue"),
            ("textract", "detect_document_text", "textract:DetectDocumentText"),
            ("resourcegroupstaggingapi", "get_resources", "tag:GetResources"),
        ] {
            assert_eq!(actions(service, method), [expected], "{service}.{method}");
        }
        assert_eq!(actions("s3", "copy_object"), ["s3:GetObject", "s3:PutObject"]);
        assert_eq!(actions("kms", "re_encrypt"), ["kms:ReEncryptFrom", "kms:ReEncryptTo"]);
        assert!(actions("timestream-query", "query").contains(&"timestream:Select"));
        assert!(actions("timestream-write", "write_records").contains(&"timestream:DescribeEndpoints"));
        assert!(actions("dynamodb", "execute_statement").contains(&"dynamodb:PartiQLInsert"));
    }

    #[test]
    fn a_transaction_needs_what_its_arguments_ask_for() {
        let write = service_by_boto3("dynamodb").unwrap().operation("TransactWriteItems").unwrap();
        assert!(write.by_arguments());
        assert_eq!(write.actions().unwrap().len(), 4);
        let copy = service_by_boto3("s3").unwrap().operation("CopyObject").unwrap();
        assert!(!copy.by_arguments());
        let put = service_by_boto3("s3").unwrap().operation("PutObject").unwrap();
        let acl = put.conditional().into_iter().find(|also| also.action == "s3:PutObjectAcl").unwrap();
        assert!(acl.arguments.contains(&"ACL"));
    }

    #[test]
    fn unsigned_calls_need_nothing_and_unknown_needs_are_not_invented() {
        assert!(actions("cognito-idp", "initiate_auth").is_empty());
        assert!(actions("sts", "get_caller_identity").is_empty());
        let unknown: Vec<_> =
            services().flat_map(Service::operations).filter(|operation| operation.actions().is_none()).collect();
        assert!(!unknown.is_empty());
        assert!(unknown[0].access().is_none() && unknown[0].resource_types().is_empty());
    }

    #[test]
    fn a_service_goes_by_its_name_in_each_sdk() {
        for (boto3, package, client, class) in [
            ("s3", "client-s3", "S3Client", "AWS.S3"),
            ("dynamodb", "client-dynamodb", "DynamoDBClient", "AWS.DynamoDB"),
            ("sesv2", "client-sesv2", "SESv2Client", "AWS.SESV2"),
            ("stepfunctions", "client-sfn", "SFNClient", "StepFunctions"),
            ("cloudwatch", "client-cloudwatch", "CloudWatchClient", "CloudWatch"),
            ("logs", "client-cloudwatch-logs", "CloudWatchLogsClient", "CloudWatchLogs"),
            ("events", "client-eventbridge", "EventBridgeClient", "EventBridge"),
            ("iot-data", "client-iot-data-plane", "IoTDataPlaneClient", "IotData"),
            ("lex-runtime", "client-lex-runtime-service", "LexRuntimeServiceClient", "LexRuntime"),
            (
                "cognito-idp",
                "client-cognito-identity-provider",
                "CognitoIdentityProviderClient",
                "CognitoIdentityServiceProvider",
            ),
            (
                "apigatewaymanagementapi",
                "client-apigatewaymanagementapi",
                "ApiGatewayManagementApiClient",
                "ApiGatewayManagementApi",
            ),
            ("elbv2", "client-elastic-load-balancing-v2", "ElasticLoadBalancingV2Client", "ELBv2"),
        ] {
            let service = service_by_boto3(boto3).unwrap();
            assert_eq!(service_by_js_package(&format!("@aws-sdk/{package}")), Some(service), "{package}");
            assert_eq!(service_by_js_client(client), Some(service), "{client}");
            assert_eq!(service_by_js_v2(class), Some(service), "{class}");
        }
        assert!(service_by_boto3("S3").is_none() && service_by_boto3("").is_none());
        assert!(service_by_js_package("@aws-sdk/client-").is_none() && service_by_js_package("client-s3").is_none());
        assert!(service_by_js_v2("AWS.").is_none() && service_by_js_v2("HTTP").is_none());
        assert!(service_by_js_client("Client").is_none());
    }

    #[test]
    fn an_operation_goes_by_its_name_in_each_language() {
        let dynamodb = service_by_boto3("dynamodb").unwrap();
        let put = dynamodb.operation("PutItem").unwrap();
        assert_eq!(put.method(), "put_item");
        assert_eq!(dynamodb.operation_by_method("put_item"), Some(put));
        assert_eq!(dynamodb.operation_by_js_method("putItem"), Some(put));
        assert_eq!(dynamodb.operation_by_js_command("PutItemCommand"), Some(put));
        assert_eq!(dynamodb.operation_by_js_paginator("paginateScan"), dynamodb.operation("Scan"));
        assert_eq!(put.access(), Some(Access::Write));
        assert!(put.resource_types().contains(&"table"));
        for method in ["putitem", "PutItem", "put__item", "put_item_", "frobnicate", ""] {
            assert!(dynamodb.operation_by_method(method).is_none(), "{method}");
        }
        assert!(dynamodb.operation("putitem").is_none());
        assert!(dynamodb.operation_by_js_method("PutItem").is_none());
        assert!(dynamodb.operation_by_js_paginator("paginatePutItem").is_none());
        let gateway = service_by_boto3("storagegateway").unwrap();
        let irregular = gateway.operation_by_method("create_cached_iscsi_volume").unwrap();
        assert_eq!(irregular.name(), "CreateCachediSCSIVolume");
    }

    #[test]
    fn every_boto3_method_leads_back_to_its_operation() {
        for operation in services().flat_map(Service::operations) {
            assert_eq!(operation.service().operation_by_method(&operation.method()), Some(operation));
        }
    }

    #[test]
    fn boto3_helpers_make_the_calls_of_operations() {
        let s3 = service_by_boto3("s3").unwrap();
        let Some(ClientMethod::Helper(upload)) = s3.client_method("upload_file") else {
            panic!("upload_file is a helper");
        };
        assert!(upload.iter().any(|operation| operation.name() == "PutObject"));
        assert!(matches!(s3.client_method("put_object"), Some(ClientMethod::Operation(_))));
        assert_eq!(s3.client_method("generate_presigned_url"), Some(ClientMethod::NamesMethod));
        assert_eq!(service_by_boto3("sqs").unwrap().client_method("get_paginator"), Some(ClientMethod::NamesPaginator));
        assert_eq!(service_by_boto3("sqs").unwrap().client_method("upload_file"), None);
    }

    #[test]
    fn boto3_resources_lead_to_operations() {
        let names = |service: &str, resource: &str, member: &str| -> Vec<&'static str> {
            let member = service_by_boto3(service).unwrap().resource_member(resource, member);
            member.unwrap().operations.into_iter().map(Operation::name).collect()
        };
        assert_eq!(names("dynamodb", "Table", "put_item"), ["PutItem"]);
        assert_eq!(names("dynamodb", "Table", "batch_writer"), ["BatchWriteItem"]);
        assert_eq!(names("dynamodb", "Table", "wait_until_exists"), ["DescribeTable"]);
        assert_eq!(names("dynamodb", "Table", "load"), ["DescribeTable"]);
        assert_eq!(names("s3", "Object", "put"), ["PutObject"]);
        assert_eq!(names("s3", "Bucket", "objects"), ["ListObjects"]);
        assert_eq!(names("s3", "Bucket", "objects.delete"), ["ListObjects", "DeleteObjects"]);
        assert_eq!(names("s3", "ServiceResource", "buckets"), ["ListBuckets"]);
        assert_eq!(names("sqs", "Queue", "send_message"), ["SendMessage"]);
        assert_eq!(names("sqs", "ServiceResource", "get_queue_by_name"), ["GetQueueUrl"]);
        assert_eq!(names("sns", "Topic", "publish"), ["Publish"]);
        let table = service_by_boto3("dynamodb").unwrap().resource_member("ServiceResource", "Table").unwrap();
        assert_eq!((table.kind, table.gives, table.operations.len()), (MemberKind::Constructor, Some("Table"), 0));
        let objects = service_by_boto3("s3").unwrap().resource_member("Bucket", "objects").unwrap();
        assert_eq!((objects.kind, objects.gives), (MemberKind::Collection, Some("ObjectSummary")));
        assert!(service_by_boto3("s3").unwrap().resource_member("Bucket", "frobnicate").is_none());
    }

    #[test]
    fn javascript_helpers_lead_to_operations() {
        for (export, operation) in [
            ("GetCommand", "GetItem"),
            ("PutCommand", "PutItem"),
            ("UpdateCommand", "UpdateItem"),
            ("DeleteCommand", "DeleteItem"),
            ("QueryCommand", "Query"),
            ("ScanCommand", "Scan"),
            ("BatchGetCommand", "BatchGetItem"),
            ("BatchWriteCommand", "BatchWriteItem"),
            ("TransactGetCommand", "TransactGetItems"),
            ("TransactWriteCommand", "TransactWriteItems"),
            ("ExecuteStatementCommand", "ExecuteStatement"),
            ("DynamoDBDocument.put", "PutItem"),
            ("DynamoDBDocument.transactWrite", "TransactWriteItems"),
        ] {
            let helper = js_v3_helper("@aws-sdk/lib-dynamodb", export).unwrap();
            assert_eq!(helper.operations[0].name(), operation, "{export}");
        }
        for (method, operation) in [
            ("get", "GetItem"),
            ("put", "PutItem"),
            ("batchWrite", "BatchWriteItem"),
            ("transactGet", "TransactGetItems"),
        ] {
            assert_eq!(js_v2_document_client(method).unwrap().operations[0].name(), operation, "{method}");
        }
        let upload = js_v3_helper("@aws-sdk/lib-storage", "Upload").unwrap();
        assert!(upload.operations.iter().any(|operation| operation.name() == "PutObject"));
        assert!(js_v2_helper("AWS.S3", "upload").is_some());
        assert!(js_v2_document_client("putItem").is_none());
        assert!(js_v3_helper("@aws-sdk/lib-dynamodb", "PutItemCommand").is_none());
    }

    #[test]
    fn waiters_call_an_operation() {
        let dynamodb = service_by_boto3("dynamodb").unwrap();
        for name in ["table_exists", "TableExists", "tableExists", "waitUntilTableExists"] {
            let waiter = dynamodb.waiter(name).unwrap();
            assert_eq!((waiter.name, waiter.operation.name()), ("TableExists", "DescribeTable"));
        }
        assert_eq!(service_by_boto3("s3").unwrap().waiter("bucket_exists").unwrap().operation.name(), "HeadBucket");
        assert!(dynamodb.waiter("table_burns").is_none());
    }

    #[test]
    fn every_action_an_operation_needs_exists() {
        for operation in services().flat_map(Service::operations) {
            for name in operation.actions().unwrap_or_default() {
                assert!(iam::action(name).is_some_and(|action| action.name() == name), "{operation:?}: {name}");
            }
            for also in operation.conditional() {
                assert!(iam::action(also.action).is_some() && !also.arguments.is_empty(), "{operation:?}: {also:?}");
            }
        }
    }
}
