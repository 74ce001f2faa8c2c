//! Which CloudFormation type each of Terraform's is, and how its attributes are called there: one row for each.
//!
//! A rule is `from>To`: paths into the configuration and into the properties, `To` left out where it is `from` in the other
//! spelling. `from!` holds a document, `To[]` is a list however often its block is written, `>-` leaves an attribute out.
//! Attributes without a rule keep their name in the other spelling.

type Row = (&'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    // Functions.
    (
        "aws_lambda_function",
        "AWS::Lambda::Function",
        "environment.variables>Environment.Variables layers>Layers[] vpc_config.subnet_ids>VpcConfig.SubnetIds[] \
         vpc_config.security_group_ids>VpcConfig.SecurityGroupIds[] tracing_config.mode dead_letter_config.target_arn \
         architectures>Architectures[] logging_config.log_group filename>- s3_bucket>- s3_key>- s3_object_version>- \
         image_uri>- source_code_hash>- publish>- tags>-",
    ),
    ("aws_lambda_permission", "AWS::Lambda::Permission", "principal_org_id>PrincipalOrgID qualifier>-"),
    (
        "aws_lambda_event_source_mapping",
        "AWS::Lambda::EventSourceMapping",
        "filter_criteria.filter>FilterCriteria.Filters[] source_access_configuration>SourceAccessConfigurations[] \
         self_managed_event_source.endpoints.KAFKA_BOOTSTRAP_SERVERS>SelfManagedEventSource.Endpoints.KafkaBootstrapServers \
         document_db_event_source_config>DocumentDBEventSourceConfig",
    ),
    (
        "aws_lambda_function_url",
        "AWS::Lambda::Url",
        "function_name>TargetFunctionArn authorization_type>AuthType qualifier>-",
    ),
    ("aws_lambda_alias", "AWS::Lambda::Alias", ""),
    ("aws_lambda_layer_version", "AWS::Lambda::LayerVersion", "filename>- s3_bucket>- s3_key>- source_code_hash>-"),
    (
        "aws_lambda_function_event_invoke_config",
        "AWS::Lambda::EventInvokeConfig",
        "destination_config.on_success.destination destination_config.on_failure.destination",
    ),
    // APIs.
    (
        "aws_api_gateway_rest_api",
        "AWS::ApiGateway::RestApi",
        "body!>Body policy!>Policy endpoint_configuration.types>EndpointConfiguration.Types[]",
    ),
    (
        "aws_api_gateway_method",
        "AWS::ApiGateway::Method",
        "authorization>AuthorizationType request_models>RequestModels request_parameters>-",
    ),
    ("aws_api_gateway_authorizer", "AWS::ApiGateway::Authorizer", "provider_arns>ProviderARNs[]"),
    ("aws_api_gateway_model", "AWS::ApiGateway::Model", "schema!>Schema"),
    (
        "aws_api_gateway_stage",
        "AWS::ApiGateway::Stage",
        "access_log_settings>AccessLogSetting xray_tracing_enabled>TracingEnabled",
    ),
    ("aws_apigatewayv2_api", "AWS::ApiGatewayV2::Api", "body!>Body"),
    // Queues, topics, streams.
    (
        "aws_sqs_queue",
        "AWS::SQS::Queue",
        "name>QueueName policy>- redrive_policy!>RedrivePolicy visibility_timeout_seconds>VisibilityTimeout \
         message_retention_seconds>MessageRetentionPeriod delay_seconds fifo_queue",
    ),
    ("aws_sqs_queue_policy", "AWS::SQS::QueuePolicy", "queue_url>Queues[] policy!>PolicyDocument"),
    ("aws_sns_topic", "AWS::SNS::Topic", "name>TopicName policy>-"),
    ("aws_sns_topic_policy", "AWS::SNS::TopicPolicy", "arn>Topics[] policy!>PolicyDocument"),
    (
        "aws_sns_topic_subscription",
        "AWS::SNS::Subscription",
        "filter_policy!>FilterPolicy redrive_policy!>RedrivePolicy",
    ),
    (
        "aws_kinesis_stream",
        "AWS::Kinesis::Stream",
        "encryption_type>StreamEncryption.EncryptionType kms_key_id>StreamEncryption.KeyId",
    ),
    ("aws_kinesis_stream_consumer", "AWS::Kinesis::StreamConsumer", "stream_arn>StreamARN name>ConsumerName"),
    ("aws_kinesis_resource_policy", "AWS::Kinesis::ResourcePolicy", "policy!>ResourcePolicy"),
    (
        "aws_kinesis_firehose_delivery_stream",
        "AWS::KinesisFirehose::DeliveryStream",
        "name>DeliveryStreamName server_side_encryption>DeliveryStreamEncryptionConfigurationInput \
         kinesis_source_configuration>KinesisStreamSourceConfiguration msk_source_configuration>MSKSourceConfiguration",
    ),
    ("aws_msk_cluster", "AWS::MSK::Cluster", "cluster_name>ClusterName"),
    ("aws_msk_serverless_cluster", "AWS::MSK::ServerlessCluster", ""),
    ("aws_mq_broker", "AWS::AmazonMQ::Broker", ""),
    // Stores.
    (
        "aws_s3_bucket",
        "AWS::S3::Bucket",
        "bucket>BucketName bucket_prefix>- acl>- policy>- grant>- website>WebsiteConfiguration force_destroy>- \
         server_side_encryption_configuration>BucketEncryption.ServerSideEncryptionConfiguration \
         versioning.enabled>- cors_rule>CorsConfiguration.CorsRules[] logging>LoggingConfiguration lifecycle_rule>-",
    ),
    ("aws_s3_bucket_policy", "AWS::S3::BucketPolicy", "policy!>PolicyDocument"),
    (
        "aws_dynamodb_table",
        "AWS::DynamoDB::Table",
        "name>TableName server_side_encryption.enabled>SSESpecification.SSEEnabled \
         server_side_encryption.kms_key_arn>SSESpecification.KMSMasterKeyId \
         point_in_time_recovery.enabled>PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled \
         stream_view_type>StreamSpecification.StreamViewType ttl>TimeToLiveSpecification \
         attribute>AttributeDefinitions[] global_secondary_index>GlobalSecondaryIndexes[] stream_enabled>-",
    ),
    ("aws_rds_cluster", "AWS::RDS::DBCluster", "cluster_identifier>DBClusterIdentifier"),
    (
        "aws_rds_cluster_instance",
        "AWS::RDS::DBInstance",
        "identifier>DBInstanceIdentifier cluster_identifier>DBClusterIdentifier",
    ),
    (
        "aws_db_instance",
        "AWS::RDS::DBInstance",
        "identifier>DBInstanceIdentifier snapshot_identifier>DBSnapshotIdentifier \
         replicate_source_db>SourceDBInstanceIdentifier",
    ),
    ("aws_docdb_cluster", "AWS::DocDB::DBCluster", "cluster_identifier>DBClusterIdentifier"),
    ("aws_neptune_cluster", "AWS::Neptune::DBCluster", "cluster_identifier>DBClusterIdentifier"),
    (
        "aws_opensearch_domain",
        "AWS::OpenSearchService::Domain",
        "domain_name encrypt_at_rest>EncryptionAtRestOptions access_policies!>AccessPolicies",
    ),
    (
        "aws_elasticsearch_domain",
        "AWS::Elasticsearch::Domain",
        "domain_name encrypt_at_rest>EncryptionAtRestOptions access_policies!>AccessPolicies",
    ),
    ("aws_elasticache_replication_group", "AWS::ElastiCache::ReplicationGroup", ""),
    ("aws_elasticache_serverless_cache", "AWS::ElastiCache::ServerlessCache", ""),
    ("aws_dax_cluster", "AWS::DAX::Cluster", "server_side_encryption.enabled>SSESpecification.SSEEnabled"),
    ("aws_redshift_cluster", "AWS::Redshift::Cluster", ""),
    ("aws_redshiftserverless_workgroup", "AWS::RedshiftServerless::Workgroup", ""),
    ("aws_efs_file_system", "AWS::EFS::FileSystem", ""),
    ("aws_efs_access_point", "AWS::EFS::AccessPoint", ""),
    ("aws_ebs_volume", "AWS::EC2::Volume", ""),
    ("aws_secretsmanager_secret", "AWS::SecretsManager::Secret", "policy>-"),
    (
        "aws_secretsmanager_secret_policy",
        "AWS::SecretsManager::ResourcePolicy",
        "secret_arn>SecretId policy!>ResourcePolicy",
    ),
    (
        "aws_secretsmanager_secret_rotation",
        "AWS::SecretsManager::RotationSchedule",
        "rotation_lambda_arn>RotationLambdaARN",
    ),
    ("aws_ssm_parameter", "AWS::SSM::Parameter", ""),
    ("aws_kms_key", "AWS::KMS::Key", "policy!>KeyPolicy"),
    ("aws_kms_alias", "AWS::KMS::Alias", "name>AliasName"),
    // Events.
    ("aws_cloudwatch_event_rule", "AWS::Events::Rule", "event_pattern!>EventPattern"),
    ("aws_cloudwatch_event_bus", "AWS::Events::EventBus", ""),
    ("aws_cloudwatch_event_permission", "AWS::Events::EventBusPolicy", ""),
    ("aws_cloudwatch_event_bus_policy", "AWS::Events::EventBusPolicy", "policy>-"),
    ("aws_scheduler_schedule", "AWS::Scheduler::Schedule", "target.arn target.role_arn target.input"),
    ("aws_scheduler_schedule_group", "AWS::Scheduler::ScheduleGroup", ""),
    ("aws_pipes_pipe", "AWS::Pipes::Pipe", ""),
    ("aws_iot_topic_rule", "AWS::IoT::TopicRule", "name>RuleName sql>TopicRulePayload.Sql lambda>- enabled>-"),
    ("aws_sfn_state_machine", "AWS::StepFunctions::StateMachine", "name>StateMachineName definition!>Definition"),
    ("aws_sfn_activity", "AWS::StepFunctions::Activity", ""),
    // Users of applications.
    ("aws_cognito_user_pool", "AWS::Cognito::UserPool", "name>UserPoolName"),
    ("aws_cognito_user_pool_client", "AWS::Cognito::UserPoolClient", "name>ClientName"),
    // GraphQL.
    ("aws_appsync_graphql_api", "AWS::AppSync::GraphQLApi", "schema>-"),
    ("aws_appsync_datasource", "AWS::AppSync::DataSource", "lambda_config.function_arn>LambdaConfig.LambdaFunctionArn"),
    ("aws_appsync_resolver", "AWS::AppSync::Resolver", "type>TypeName field>FieldName data_source>DataSourceName"),
    ("aws_appsync_function", "AWS::AppSync::FunctionConfiguration", "data_source>DataSourceName"),
    // Load balancers and distributions.
    ("aws_lb", "AWS::ElasticLoadBalancingV2::LoadBalancer", "internal>-"),
    ("aws_lb_listener", "AWS::ElasticLoadBalancingV2::Listener", "default_action>DefaultActions[]"),
    ("aws_lb_listener_rule", "AWS::ElasticLoadBalancingV2::ListenerRule", "action>Actions[] condition>-"),
    ("aws_lb_target_group", "AWS::ElasticLoadBalancingV2::TargetGroup", ""),
    (
        "aws_cloudfront_distribution",
        "AWS::CloudFront::Distribution",
        "aliases>DistributionConfig.Aliases[] origin>DistributionConfig.Origins[] web_acl_id>DistributionConfig.WebACLId default_cache_behavior>- ordered_cache_behavior>- viewer_certificate>DistributionConfig.ViewerCertificate logging_config>DistributionConfig.Logging",
    ),
    // Logs and monitoring.
    ("aws_cloudwatch_log_group", "AWS::Logs::LogGroup", "name>LogGroupName"),
    ("aws_cloudwatch_log_subscription_filter", "AWS::Logs::SubscriptionFilter", ""),
    ("aws_cloudwatch_log_resource_policy", "AWS::Logs::ResourcePolicy", "policy_document!>PolicyDocument"),
    ("aws_cloudwatch_metric_alarm", "AWS::CloudWatch::Alarm", ""),
    ("aws_config_config_rule", "AWS::Config::ConfigRule", ""),
    ("aws_ses_receipt_rule", "AWS::SES::ReceiptRule", "recipients>Rule.Recipients[] lambda_action>-"),
    ("aws_ecr_repository", "AWS::ECR::Repository", "name>RepositoryName"),
    ("aws_ecs_task_definition", "AWS::ECS::TaskDefinition", "container_definitions!>ContainerDefinitions"),
    ("aws_instance", "AWS::EC2::Instance", "ami>ImageId"),
    ("aws_launch_template", "AWS::EC2::LaunchTemplate", ""),
    ("aws_vpc_endpoint", "AWS::EC2::VPCEndpoint", "policy!>PolicyDocument"),
    ("aws_cloudformation_stack", "AWS::CloudFormation::Stack", "iam_role_arn>RoleARN template_url>- parameters>-"),
    ("aws_sagemaker_notebook_instance", "AWS::SageMaker::NotebookInstance", ""),
    ("aws_codecommit_repository", "AWS::CodeCommit::Repository", ""),
    // Identities.
    (
        "aws_iam_role",
        "AWS::IAM::Role",
        "name>RoleName assume_role_policy!>AssumeRolePolicyDocument managed_policy_arns>ManagedPolicyArns[] \
         inline_policy>Policies[] permissions_boundary>PermissionsBoundary",
    ),
    ("aws_iam_policy", "AWS::IAM::ManagedPolicy", "name>ManagedPolicyName policy!>PolicyDocument"),
    ("aws_iam_role_policy", "AWS::IAM::Policy", "name>PolicyName policy!>PolicyDocument role>Roles[]"),
    ("aws_iam_user_policy", "AWS::IAM::Policy", "name>PolicyName policy!>PolicyDocument user>Users[]"),
    ("aws_iam_group_policy", "AWS::IAM::Policy", "name>PolicyName policy!>PolicyDocument group>Groups[]"),
    ("aws_iam_user", "AWS::IAM::User", "name>UserName"),
    ("aws_iam_group", "AWS::IAM::Group", "name>GroupName"),
    ("aws_iam_instance_profile", "AWS::IAM::InstanceProfile", "name>InstanceProfileName role>Roles[]"),
];

/// Types that only say how others belong together.
const JOINED: &[&str] = &[
    "aws_iam_role_policy_attachment",
    "aws_iam_user_policy_attachment",
    "aws_iam_group_policy_attachment",
    "aws_iam_policy_attachment",
    "aws_iam_role_policy_attachments_exclusive",
    "aws_iam_user_policy_attachments_exclusive",
    "aws_iam_group_policy_attachments_exclusive",
    "aws_iam_role_policies_exclusive",
    "aws_iam_user_policies_exclusive",
    "aws_iam_group_policies_exclusive",
    "aws_iam_group_membership",
    "aws_iam_user_group_membership",
    "aws_api_gateway_integration",
    "aws_api_gateway_rest_api_policy",
    "aws_kms_key_policy",
    "aws_cloudwatch_event_target",
    "aws_dynamodb_resource_policy",
    "aws_ecr_repository_policy",
    "aws_efs_file_system_policy",
    "aws_lb_target_group_attachment",
    "aws_alb_target_group_attachment",
];

/// Resources that are properties of a bucket in CloudFormation.
pub(crate) const BUCKET_PARTS: [&str; 9] = [
    "aws_s3_bucket_acl",
    "aws_s3_bucket_cors_configuration",
    "aws_s3_bucket_logging",
    "aws_s3_bucket_notification",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_s3_bucket_website_configuration",
];

/// What the types of a service are called, for those without a row.
const SERVICES: &[(&str, &str)] = &[
    ("aws_lambda_", "AWS::Lambda::"),
    ("aws_apigatewayv2_", "AWS::ApiGatewayV2::"),
    ("aws_api_gateway_", "AWS::ApiGateway::"),
    ("aws_cloudwatch_event_", "AWS::Events::"),
    ("aws_cloudwatch_log_", "AWS::Logs::"),
    ("aws_cloudwatch_", "AWS::CloudWatch::"),
    ("aws_iam_", "AWS::IAM::"),
    ("aws_s3_", "AWS::S3::"),
    ("aws_dynamodb_", "AWS::DynamoDB::"),
    ("aws_cognito_", "AWS::Cognito::"),
    ("aws_appsync_", "AWS::AppSync::"),
    ("aws_appautoscaling_", "AWS::ApplicationAutoScaling::"),
    ("aws_codedeploy_", "AWS::CodeDeploy::"),
    ("aws_codebuild_", "AWS::CodeBuild::"),
    ("aws_codepipeline", "AWS::CodePipeline::Pipeline"),
    ("aws_sagemaker_", "AWS::SageMaker::"),
    ("aws_glue_", "AWS::Glue::"),
    ("aws_ecs_", "AWS::ECS::"),
    ("aws_eks_", "AWS::EKS::"),
    ("aws_batch_", "AWS::Batch::"),
    ("aws_ssm_", "AWS::SSM::"),
    ("aws_secretsmanager_", "AWS::SecretsManager::"),
    ("aws_kms_", "AWS::KMS::"),
    ("aws_iot_", "AWS::IoT::"),
    ("aws_bedrockagent_", "AWS::Bedrock::"),
    ("aws_bedrock_", "AWS::Bedrock::"),
    ("aws_wafv2_", "AWS::WAFv2::"),
    ("aws_route53_", "AWS::Route53::"),
    ("aws_ecr_", "AWS::ECR::"),
    ("aws_efs_", "AWS::EFS::"),
    ("aws_sqs_", "AWS::SQS::"),
    ("aws_sns_", "AWS::SNS::"),
    ("aws_sfn_", "AWS::StepFunctions::"),
    ("aws_elastic_beanstalk_", "AWS::ElasticBeanstalk::"),
    ("aws_vpclattice_", "AWS::VpcLattice::"),
    ("aws_cloudfront_", "AWS::CloudFront::"),
    ("aws_vpc", "AWS::EC2::VPC"),
    ("aws_subnet", "AWS::EC2::Subnet"),
    ("aws_security_group", "AWS::EC2::SecurityGroup"),
];

/// The CloudFormation type and the rules of a type; none where it is no resource by itself.
pub(crate) fn mapping(kind: &str) -> Option<(String, &'static str)> {
    if JOINED.contains(&kind) || BUCKET_PARTS.contains(&kind) || !kind.starts_with("aws_") {
        return None;
    }
    let kind = match kind.strip_prefix("aws_alb") {
        Some(rest) => &format!("aws_lb{rest}"),
        None => kind,
    };
    if let Some((_, resource_type, rules)) = ROWS.iter().find(|(known, ..)| *known == kind) {
        return Some((resource_type.to_string(), rules));
    }
    let of_service = SERVICES.iter().find_map(|(prefix, service)| Some((kind.strip_prefix(prefix)?, service)));
    Some(match of_service {
        Some((rest, service)) => (format!("{service}{}", crate::attributes::camel(rest)), ""),
        None => (format!("Terraform::{kind}"), ""),
    })
}
