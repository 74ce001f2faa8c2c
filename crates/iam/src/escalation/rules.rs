//! Ways to become stronger as data: what each takes, what it gives, and who described it.
//!
//! The actions were compared with Datadog's pathfinding.cloud (paths of December 2025 and the scenarios of its labs), Rhino Security Labs'
//! lists and NCC Group's PMapper. Where those differ on what a way takes, the smaller set of actions stands here.
//! The first action of a rule is the one on the target; the others may be on any resource of their types.

/// What carrying a rule out gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gain {
    /// Everyone who has the policy can be given any permission.
    Policy,
    /// A user can be given any permission.
    User,
    /// The members of a group can.
    Group,
    /// A role can.
    Role,
    /// Its user is in the group.
    Join,
    /// It acts as the user.
    Become,
    /// It acts as the role, whose trust it writes.
    Trust,
    /// It acts as the role, which trusts it already.
    Assume,
    /// It acts as a role that is handed to one of these services.
    Pass(&'static [&'static str]),
    /// It acts as what runs there already, by template types and the property that names the role.
    Runs(&'static [(&'static str, &'static str)]),
    /// It acts as a function.
    Function,
    /// A role or user of its own making can be given any permission.
    Fresh,
    /// Its own boundary is gone.
    Boundary,
    /// It acts as any role that trusts the identity provider.
    Federate,
}

/// One way to become stronger.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) gain: Gain,
    pub(super) needs: &'static [&'static str],
    pub(super) source: &'static str,
}

const RHINO: &str = "Spencer Gietzen, AWS IAM Privilege Escalation: Methods and Mitigation, Rhino Security Labs, 2018";
const BISHOP: &str = "Seth Art, IAM Vulnerable: An AWS IAM Privilege Escalation Playground, Bishop Fox, 2021";
const DATADOG: &str = "Datadog Security Labs, pathfinding.cloud";
const PMAPPER: &str = "Erik Steringer, Principal Mapper, NCC Group";
const AWS: &str = "AWS, IAM User Guide: permissions boundaries, creating roles and users, identity providers";

const INSTANCES: &[(&str, &str)] = &[("AWS::EC2::Instance", "IamInstanceProfile")];
const STACKS: &[(&str, &str)] = &[("AWS::CloudFormation::Stack", "RoleARN")];
const STACK_SETS: &[(&str, &str)] = &[("AWS::CloudFormation::StackSet", "AdministrationRoleARN")];
const BUILDS: &[(&str, &str)] = &[("AWS::CodeBuild::Project", "ServiceRole")];
const NOTEBOOKS: &[(&str, &str)] = &[("AWS::SageMaker::NotebookInstance", "RoleArn")];
const MACHINES: &[(&str, &str)] =
    &[("AWS::StepFunctions::StateMachine", "RoleArn"), ("AWS::Serverless::StateMachine", "Role")];
const TASKS: &[(&str, &str)] = &[("AWS::ECS::TaskDefinition", "TaskRoleArn")];
const WEB_SERVICES: &[(&str, &str)] = &[("AWS::AppRunner::Service", "InstanceConfiguration.InstanceRoleArn")];
const ENDPOINTS: &[(&str, &str)] = &[("AWS::Glue::DevEndpoint", "RoleArn")];
const SCHEDULES: &[(&str, &str)] = &[("AWS::Scheduler::Schedule", "Target.RoleArn")];
const JOBS: &[(&str, &str)] = &[("AWS::Batch::JobDefinition", "ContainerProperties.JobRoleArn")];
const LAUNCHES: &[(&str, &str)] = &[("AWS::EC2::LaunchTemplate", "LaunchTemplateData.IamInstanceProfile.Arn")];
const INTERPRETERS: &[(&str, &str)] = &[("AWS::BedrockAgentCore::CodeInterpreterCustom", "ExecutionRoleArn")];
const BROWSERS: &[(&str, &str)] = &[("AWS::BedrockAgentCore::BrowserCustom", "ExecutionRoleArn")];
const RUNTIMES: &[(&str, &str)] = &[("AWS::BedrockAgentCore::Runtime", "RoleArn")];

const EC2: Gain = Gain::Pass(&["ec2.amazonaws.com"]);
const LAMBDA: Gain = Gain::Pass(&["lambda.amazonaws.com"]);
const GLUE: Gain = Gain::Pass(&["glue.amazonaws.com"]);
const CLOUDFORMATION: Gain = Gain::Pass(&["cloudformation.amazonaws.com"]);
const CODEBUILD: Gain = Gain::Pass(&["codebuild.amazonaws.com"]);
const SAGEMAKER: Gain = Gain::Pass(&["sagemaker.amazonaws.com"]);
const ECS: Gain = Gain::Pass(&["ecs-tasks.amazonaws.com"]);
const AGENTCORE: Gain = Gain::Pass(&["bedrock-agentcore.amazonaws.com"]);

const fn rule(
    id: &'static str,
    title: &'static str,
    gain: Gain,
    source: &'static str,
    needs: &'static [&'static str],
) -> Rule {
    Rule { id, title, gain, needs, source }
}

#[rustfmt::skip] // a table
pub(super) const RULES: &[Rule] = &[
    // Permissions rewritten.
    rule("create-policy-version", "writes a new version of a policy", Gain::Policy, RHINO, &["iam:CreatePolicyVersion"]),
    rule("set-default-policy-version", "brings back an older version of a policy", Gain::Policy, RHINO, &["iam:SetDefaultPolicyVersion"]),
    rule("attach-user-policy", "attaches any policy to a user", Gain::User, RHINO, &["iam:AttachUserPolicy"]),
    rule("attach-group-policy", "attaches any policy to a group", Gain::Group, RHINO, &["iam:AttachGroupPolicy"]),
    rule("attach-role-policy", "attaches any policy to a role", Gain::Role, RHINO, &["iam:AttachRolePolicy"]),
    rule("put-user-policy", "writes a policy into a user", Gain::User, RHINO, &["iam:PutUserPolicy"]),
    rule("put-group-policy", "writes a policy into a group", Gain::Group, RHINO, &["iam:PutGroupPolicy"]),
    rule("put-role-policy", "writes a policy into a role", Gain::Role, RHINO, &["iam:PutRolePolicy"]),
    rule("add-user-to-group", "joins a group", Gain::Join, RHINO, &["iam:AddUserToGroup"]),
    rule("delete-user-boundary", "removes its own permissions boundary", Gain::Boundary, AWS, &["iam:DeleteUserPermissionsBoundary"]),
    rule("put-user-boundary", "replaces its own permissions boundary", Gain::Boundary, AWS, &["iam:PutUserPermissionsBoundary"]),
    rule("delete-role-boundary", "removes its own permissions boundary", Gain::Boundary, AWS, &["iam:DeleteRolePermissionsBoundary"]),
    rule("put-role-boundary", "replaces its own permissions boundary", Gain::Boundary, AWS, &["iam:PutRolePermissionsBoundary"]),
    rule("create-role-attach", "makes a role that trusts it and attaches any policy to that", Gain::Fresh, AWS, &["iam:CreateRole", "iam:AttachRolePolicy"]),
    rule("create-role-put", "makes a role that trusts it and writes any policy into that", Gain::Fresh, AWS, &["iam:CreateRole", "iam:PutRolePolicy"]),
    rule("create-user-attach", "makes a user with any policy and a key for it", Gain::Fresh, AWS, &["iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"]),
    rule("create-user-put", "makes a user with any policy and a key for it", Gain::Fresh, AWS, &["iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey"]),
    // Others impersonated.
    rule("create-access-key", "makes a key of another user", Gain::Become, RHINO, &["iam:CreateAccessKey"]),
    rule("create-login-profile", "gives another user a password", Gain::Become, RHINO, &["iam:CreateLoginProfile"]),
    rule("update-login-profile", "changes another user's password", Gain::Become, RHINO, &["iam:UpdateLoginProfile"]),
    rule("update-assume-role-policy", "lets itself assume a role", Gain::Trust, RHINO, &["iam:UpdateAssumeRolePolicy"]),
    rule("assume-role", "assumes a role", Gain::Assume, DATADOG, &["sts:AssumeRole"]),
    rule("update-saml-provider", "answers for an identity provider that roles trust", Gain::Federate, AWS, &["iam:UpdateSAMLProvider"]),
    rule("add-oidc-client", "becomes a client of an identity provider that roles trust", Gain::Federate, AWS, &["iam:AddClientIDToOpenIDConnectProvider"]),
    // Roles handed to services.
    rule("pass-role-ec2", "starts an instance with a role", EC2, RHINO, &["iam:PassRole", "ec2:RunInstances"]),
    rule("pass-role-ec2-spot", "requests a spot instance with a role", EC2, DATADOG, &["iam:PassRole", "ec2:RequestSpotInstances"]),
    rule("pass-role-autoscaling", "has a launch configuration start instances with a role", EC2, PMAPPER, &["iam:PassRole", "autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup"]),
    rule("pass-role-lambda-invoke", "makes a function with a role and calls it", LAMBDA, RHINO, &["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]),
    rule("pass-role-lambda-event-source", "makes a function with a role and has events call it", LAMBDA, RHINO, &["iam:PassRole", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"]),
    rule("pass-role-lambda-permission", "makes a function with a role and opens it to others", LAMBDA, DATADOG, &["iam:PassRole", "lambda:CreateFunction", "lambda:AddPermission"]),
    rule("pass-role-glue-endpoint", "makes a development endpoint with a role", GLUE, RHINO, &["iam:PassRole", "glue:CreateDevEndpoint"]),
    rule("pass-role-glue-job", "makes a job with a role and runs it", GLUE, DATADOG, &["iam:PassRole", "glue:CreateJob", "glue:StartJobRun"]),
    rule("pass-role-glue-job-trigger", "makes a job with a role and a trigger for it", GLUE, DATADOG, &["iam:PassRole", "glue:CreateJob", "glue:CreateTrigger"]),
    rule("update-glue-job", "gives a job a role and code of its own and runs it", GLUE, DATADOG, &["iam:PassRole", "glue:UpdateJob", "glue:StartJobRun"]),
    rule("update-glue-job-trigger", "gives a job a role and code of its own and a trigger", GLUE, DATADOG, &["iam:PassRole", "glue:UpdateJob", "glue:CreateTrigger"]),
    rule("pass-role-glue-session", "opens an interactive session with a role", GLUE, DATADOG, &["iam:PassRole", "glue:CreateSession", "glue:RunStatement"]),
    rule("pass-role-cloudformation", "makes a stack with a role", CLOUDFORMATION, RHINO, &["iam:PassRole", "cloudformation:CreateStack"]),
    rule("pass-role-update-stack", "changes a stack and gives it a role", CLOUDFORMATION, PMAPPER, &["iam:PassRole", "cloudformation:UpdateStack"]),
    rule("pass-role-change-set", "changes a stack by a change set with a role", CLOUDFORMATION, PMAPPER, &["iam:PassRole", "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"]),
    rule("pass-role-stack-set", "makes a stack set with a role", CLOUDFORMATION, DATADOG, &["iam:PassRole", "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"]),
    rule("pass-role-update-stack-set", "changes a stack set and gives it a role", CLOUDFORMATION, DATADOG, &["iam:PassRole", "cloudformation:UpdateStackSet"]),
    rule("pass-role-codebuild", "makes a build project with a role and starts it", CODEBUILD, DATADOG, &["iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuild"]),
    rule("pass-role-codebuild-batch", "makes a build project with a role and starts a batch of it", CODEBUILD, DATADOG, &["iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuildBatch"]),
    rule("update-codebuild-project", "gives a build project a role and starts it", CODEBUILD, PMAPPER, &["iam:PassRole", "codebuild:UpdateProject", "codebuild:StartBuild"]),
    rule("pass-role-data-pipeline", "makes a pipeline with a role", Gain::Pass(&["datapipeline.amazonaws.com", "elasticmapreduce.amazonaws.com"]), RHINO, &["iam:PassRole", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"]),
    rule("pass-role-sagemaker-notebook", "makes a notebook with a role", SAGEMAKER, RHINO, &["iam:PassRole", "sagemaker:CreateNotebookInstance"]),
    rule("pass-role-sagemaker-training", "makes a training job with a role", SAGEMAKER, BISHOP, &["iam:PassRole", "sagemaker:CreateTrainingJob"]),
    rule("pass-role-sagemaker-processing", "makes a processing job with a role", SAGEMAKER, BISHOP, &["iam:PassRole", "sagemaker:CreateProcessingJob"]),
    rule("pass-role-ecs", "runs a task with a role", ECS, DATADOG, &["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:RunTask"]),
    rule("pass-role-ecs-service", "has a service run a task with a role", ECS, DATADOG, &["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:CreateService"]),
    rule("pass-role-ecs-start", "starts a task with a role on an instance", ECS, DATADOG, &["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:StartTask"]),
    rule("pass-role-ecs-override", "runs a known task with another role and command", ECS, DATADOG, &["iam:PassRole", "ecs:RunTask"]),
    rule("pass-role-ecs-start-override", "starts a known task with another role and command", ECS, DATADOG, &["iam:PassRole", "ecs:StartTask"]),
    rule("pass-role-batch", "runs a job with a role", ECS, DATADOG, &["iam:PassRole", "batch:RegisterJobDefinition", "batch:SubmitJob"]),
    rule("pass-role-apprunner", "makes a web service with a role", Gain::Pass(&["tasks.apprunner.amazonaws.com"]), DATADOG, &["iam:PassRole", "apprunner:CreateService"]),
    rule("pass-role-step-functions", "makes a state machine with a role and starts it", Gain::Pass(&["states.amazonaws.com"]), DATADOG, &["iam:PassRole", "states:CreateStateMachine", "states:StartExecution"]),
    rule("pass-role-scheduler", "has a schedule call services with a role", Gain::Pass(&["scheduler.amazonaws.com"]), DATADOG, &["iam:PassRole", "scheduler:CreateSchedule"]),
    rule("pass-role-update-schedule", "has a known schedule call services with another role", Gain::Pass(&["scheduler.amazonaws.com"]), DATADOG, &["iam:PassRole", "scheduler:UpdateSchedule"]),
    rule("pass-role-automation", "runs an automation with a role", Gain::Pass(&["ssm.amazonaws.com"]), DATADOG, &["iam:PassRole", "ssm:StartAutomationExecution"]),
    rule("pass-role-amplify", "builds an application with a role", Gain::Pass(&["amplify.amazonaws.com"]), DATADOG, &["iam:PassRole", "amplify:CreateApp", "amplify:CreateBranch", "amplify:StartJob"]),
    rule("pass-role-emr", "runs a cluster with a role", EC2, DATADOG, &["iam:PassRole", "elasticmapreduce:RunJobFlow"]),
    rule("pass-role-emr-serverless", "runs a job with a role", Gain::Pass(&["emr-serverless.amazonaws.com"]), DATADOG, &["iam:PassRole", "emr-serverless:CreateApplication", "emr-serverless:StartJobRun"]),
    rule("pass-role-braket", "runs a hybrid job with a role", Gain::Pass(&["braket.amazonaws.com"]), DATADOG, &["iam:PassRole", "braket:CreateJob"]),
    rule("pass-role-identity-pool", "hands a role to whoever uses an identity pool", Gain::Pass(&["cognito-identity.amazonaws.com"]), DATADOG, &["iam:PassRole", "cognito-identity:SetIdentityPoolRoles"]),
    rule("pass-role-code-interpreter", "makes a code interpreter with a role and runs code in it", AGENTCORE, DATADOG, &["iam:PassRole", "bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"]),
    rule("pass-role-agent-runtime", "makes an agent runtime with a role", AGENTCORE, DATADOG, &["iam:PassRole", "bedrock-agentcore:CreateAgentRuntime"]),
    rule("pass-role-agent-browser", "makes a browser with a role and opens it", AGENTCORE, DATADOG, &["iam:PassRole", "bedrock-agentcore:CreateBrowser", "bedrock-agentcore:StartBrowserSession"]),
    rule("pass-role-codestar", "makes a project with a role", Gain::Pass(&["codestar.amazonaws.com"]), RHINO, &["iam:PassRole", "codestar:CreateProject"]),
    // What runs already.
    rule("update-function-code", "replaces the code of a function", Gain::Function, RHINO, &["lambda:UpdateFunctionCode"]),
    rule("update-function-configuration", "puts a layer of its own into a function", Gain::Function, RHINO, &["lambda:UpdateFunctionConfiguration"]),
    rule("update-glue-endpoint", "puts its key into a development endpoint", Gain::Runs(ENDPOINTS), RHINO, &["glue:UpdateDevEndpoint"]),
    rule("update-stack", "changes a stack that has a role", Gain::Runs(STACKS), DATADOG, &["cloudformation:UpdateStack"]),
    rule("execute-change-set", "changes a stack that has a role by a change set", Gain::Runs(STACKS), DATADOG, &["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"]),
    rule("update-stack-set", "changes a stack set that has a role", Gain::Runs(STACK_SETS), DATADOG, &["cloudformation:UpdateStackSet"]),
    rule("start-build", "runs a build project with commands of its own", Gain::Runs(BUILDS), DATADOG, &["codebuild:StartBuild"]),
    rule("start-build-batch", "runs a batch of a build project with commands of its own", Gain::Runs(BUILDS), DATADOG, &["codebuild:StartBuildBatch"]),
    rule("open-sagemaker-notebook", "opens a notebook that has a role", Gain::Runs(NOTEBOOKS), RHINO, &["sagemaker:CreatePresignedNotebookInstanceUrl"]),
    rule("update-sagemaker-notebook", "has a notebook run its code at the next start", Gain::Runs(NOTEBOOKS), DATADOG, &["sagemaker:UpdateNotebookInstance", "sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:StopNotebookInstance", "sagemaker:StartNotebookInstance"]),
    rule("ssm-send-command", "runs commands on instances", Gain::Runs(INSTANCES), DATADOG, &["ssm:SendCommand"]),
    rule("ssm-start-session", "opens a session on instances", Gain::Runs(INSTANCES), DATADOG, &["ssm:StartSession"]),
    rule("ec2-instance-connect", "puts its key into instances", Gain::Runs(INSTANCES), BISHOP, &["ec2-instance-connect:SendSSHPublicKey"]),
    rule("ec2-serial-console", "puts its key into the serial console of instances", Gain::Runs(INSTANCES), BISHOP, &["ec2-instance-connect:SendSerialConsoleSSHPublicKey"]),
    rule("ec2-user-data", "has an instance run its code at the next start", Gain::Runs(INSTANCES), DATADOG, &["ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"]),
    rule("ec2-launch-template", "puts its code into what instances are started from", Gain::Runs(LAUNCHES), DATADOG, &["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"]),
    rule("ecs-execute-command", "runs commands in a task", Gain::Runs(TASKS), DATADOG, &["ecs:ExecuteCommand"]),
    rule("update-apprunner-service", "replaces the code of a web service", Gain::Runs(WEB_SERVICES), DATADOG, &["apprunner:UpdateService"]),
    rule("update-state-machine", "rewrites a state machine that has a role", Gain::Runs(MACHINES), DATADOG, &["states:UpdateStateMachine"]),
    rule("update-schedule", "has a schedule that has a role call what it likes", Gain::Runs(SCHEDULES), DATADOG, &["scheduler:UpdateSchedule"]),
    rule("submit-job", "runs a job with commands of its own", Gain::Runs(JOBS), DATADOG, &["batch:SubmitJob"]),
    rule("invoke-code-interpreter", "runs code in an interpreter that has a role", Gain::Runs(INTERPRETERS), DATADOG, &["bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"]),
    rule("invoke-agent-command", "runs commands in an agent's runtime", Gain::Runs(RUNTIMES), DATADOG, &["bedrock-agentcore:InvokeAgentRuntimeCommand"]),
    rule("open-agent-browser", "drives a browser that has a role", Gain::Runs(BROWSERS), DATADOG, &["bedrock-agentcore:StartBrowserSession", "bedrock-agentcore:ConnectBrowserAutomationStream"]),
];

/// Rules that say nothing where what runs there isn't known: their actions are everyday work, and only what they reach makes them more.
pub(super) const EVERYDAY: &[&str] = &[
    "start-build",
    "start-build-batch",
    "submit-job",
    "update-state-machine",
    "update-schedule",
    "invoke-code-interpreter",
    "ecs-execute-command",
    "open-agent-browser",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_rule_is_of_actions_that_exist_and_names_its_source() {
        let mut ids = HashSet::new();
        for rule in RULES {
            assert!(ids.insert(rule.id), "{} twice", rule.id);
            assert!(!rule.source.is_empty() && !rule.title.is_empty());
            for action in rule.needs {
                let service = action.split(':').next().unwrap();
                // Services that AWS has closed keep their rules as long as accounts keep their resources.
                let closed = ["codestar", "datapipeline"].contains(&service);
                assert!(closed || facts::action(action).is_some(), "{action}");
            }
            assert_eq!(matches!(rule.gain, Gain::Pass(_)), rule.needs[0] == "iam:PassRole", "{}", rule.id);
        }
        assert!(EVERYDAY.iter().all(|id| ids.contains(id)));
    }
}
