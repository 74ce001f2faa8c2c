//! Functions of both kinds: `AWS::Serverless::Function` and `AWS::Lambda::Function`.

use crate::files::local_path;
use crate::model::{Block, Template};
use crate::reader::Reader;
use findings::{Level, near_miss};
use graph::{
    Authorization, Code, EnvironmentVariable, Function, FunctionUrl, Setting, Trigger, TriggerKind, UrlAuth, Value,
};
use source::{Node, NodeKind, Span};
use std::collections::HashMap;

/// What `AWS::Serverless::Function` knows. A property that SAM adds after this list was made is only ever reported where it is
/// nearly one of these.
const SAM_PROPERTIES: [&str; 52] = [
    "FunctionName",
    "Handler",
    "Runtime",
    "CodeUri",
    "ImageUri",
    "PackageType",
    "InlineCode",
    "DeadLetterQueue",
    "Description",
    "MemorySize",
    "Timeout",
    "VpcConfig",
    "Role",
    "AssumeRolePolicyDocument",
    "Policies",
    "RolePath",
    "PermissionsBoundary",
    "Environment",
    "Events",
    "Tags",
    "PropagateTags",
    "Tracing",
    "KmsKeyArn",
    "DeploymentPreference",
    "ReservedConcurrentExecutions",
    "Layers",
    "EventInvokeConfig",
    "EphemeralStorage",
    "AutoPublishAlias",
    "AutoPublishCodeSha256",
    "AutoPublishAliasAllProperties",
    "VersionDescription",
    "ProvisionedConcurrencyConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "CodeSigningConfigArn",
    "Architectures",
    "SnapStart",
    "FunctionUrlConfig",
    "RuntimeManagementConfig",
    "LoggingConfig",
    "RecursiveLoop",
    "SourceKMSKeyArn",
    "CapacityProviderConfig",
    "FunctionScalingConfig",
    "VersionDeletionPolicy",
    "PublishToLatestPublished",
    "TenancyConfig",
    "DurableConfig",
    "PublishLambdaVersion",
    "Connectors",
    "SourceKmsKeyArn",
];

/// Properties of plain CloudFormation that people write into a SAM function, where they do nothing.
const PLAIN_ONLY: [(&str, &str); 4] = [
    ("Code", "CodeUri"),
    ("TracingConfig", "Tracing"),
    ("DeadLetterConfig", "DeadLetterQueue"),
    ("ManagedPolicyArns", "Policies"),
];

impl Reader<'_, '_> {
    /// Reads every function of the template.
    pub(crate) fn read_functions(&mut self) {
        let template = self.template.clone();
        for block in &template.blocks {
            let sam = match block.resource_type.as_str() {
                "AWS::Serverless::Function" => true,
                "AWS::Lambda::Function" => false,
                _ => continue,
            };
            if sam {
                self.check_properties(block);
            }
            let function = read_function(&template, block, sam);
            self.application.functions.push(function);
        }
        for block in template.of_type("AWS::Lambda::Url") {
            self.read_url_resource(&template, block);
        }
        for block in template.of_type("AWS::Serverless::Function") {
            if let Some(entry) = block.properties.entry("FunctionUrlConfig").filter(|entry| entry.value.is_mapping()) {
                let span =
                    entry.value.entry("AuthType").map_or(entry.key_span, |auth| auth.key_span.to(auth.value.span));
                let auth = url_auth(&template, entry.value.get("AuthType"));
                self.add_url(&block.name, "FunctionUrlConfig", auth, span);
            }
        }
        self.match_log_groups();
    }

    fn check_properties(&mut self, block: &Block) {
        let own = block.node.get("Properties").map_or(&[][..], Node::entries);
        for entry in own {
            let key = entry.key.as_str();
            if SAM_PROPERTIES.contains(&key) || key.starts_with("Fn::") {
                continue;
            }
            let meant = PLAIN_ONLY.iter().find(|(plain, _)| *plain == key).map(|(_, sam)| *sam);
            let Some(meant) = meant.or_else(|| near_miss(key, SAM_PROPERTIES)) else { continue };
            self.report(
                Level::Warning,
                entry.key_span,
                format!("unknown property `{key}` of function `{}`", block.name),
                format!("did you mean `{meant}`?"),
            );
        }
        for (name, shape) in [("Environment", "an object with `Variables`"), ("Events", "an object of named events")] {
            if let Some(entry) = block.properties.entry(name)
                && !entry.value.is_mapping()
                && !entry.value.is_null()
            {
                let message = format!("`{name}` of function `{}` is not an object", block.name);
                self.report(Level::Error, entry.key_span, message, format!("write {shape}"));
            }
        }
    }

    fn read_url_resource(&mut self, template: &Template, block: &Block) {
        let Some(target) = block.get("TargetFunctionArn") else { return };
        let Some(function) = self.names.function_of(&template.value(target)) else { return };
        let auth = url_auth(template, block.get("AuthType"));
        let span =
            block.properties.entry("AuthType").map_or(block.name_span, |entry| entry.key_span.to(entry.value.span));
        self.add_url(&function, &block.name, auth, span);
    }

    fn add_url(&mut self, function: &str, name: &str, auth: UrlAuth, span: Span) {
        if let Some(found) = self.application.functions.iter_mut().find(|found| found.name == function) {
            // The more open of two URLs (one per alias) tells how the function can be reached.
            if found.url.as_ref().is_none_or(|url| url.auth != UrlAuth::None) {
                found.url = Some(FunctionUrl { auth, span });
            }
        }
        let authorization = match auth {
            UrlAuth::None => Authorization::None,
            UrlAuth::Iam => Authorization::Iam,
            UrlAuth::Unknown => Authorization::Unknown("AuthType".into()),
        };
        self.trigger(Trigger {
            authorization: Some(authorization),
            method: Some("ANY".into()),
            path: Some("/".into()),
            ..trigger(function, name, TriggerKind::FunctionUrl, span)
        });
    }

    /// Gives every function the log group of the template that is its own, by name or by `LoggingConfig`.
    fn match_log_groups(&mut self) {
        let template = self.template.clone();
        let functions = self.application.functions.iter().enumerate();
        let index: HashMap<String, usize> = functions.map(|(at, function)| (function.name.clone(), at)).collect();
        for block in template.of_type("AWS::Logs::LogGroup") {
            let Some(name) = block.get("LogGroupName").map(|name| template.value(name)) else { continue };
            let Some(at) = self.logged_function(&name).and_then(|function| index.get(&function)) else { continue };
            if let Some(found) = self.application.functions.get_mut(*at) {
                found.log_group.get_or_insert_with(|| block.name.clone());
            }
        }
        for function in &mut self.application.functions {
            let Some(block) = template.block(&function.name) else { continue };
            let Some(written) = block.at(&["LoggingConfig", "LogGroup"]).map(|group| template.value(group)) else {
                continue;
            };
            let by_name = || {
                template
                    .of_type("AWS::Logs::LogGroup")
                    .find(|group| group.get("LogGroupName").is_some_and(|name| template.value(name) == written))
                    .map(|group| group.name.clone())
            };
            let named = written.resources().find(|name| template.type_of(name) == Some("AWS::Logs::LogGroup"));
            function.log_group = named.map(str::to_string).or_else(by_name);
        }
    }

    fn logged_function(&self, group: &Value) -> Option<String> {
        let mut rest = Value::default();
        for (index, part) in group.parts().iter().enumerate() {
            match part {
                graph::Part::Text(text) if index == 0 => {
                    rest.push(graph::Part::Text(text.strip_prefix("/aws/lambda/")?.to_string()));
                }
                _ if index == 0 => return None,
                part => rest.push(part.clone()),
            }
        }
        match rest.resource() {
            Some(name) => self.names.is_function(name).then(|| name.to_string()),
            None => self.names.deployed_as(&rest).map(str::to_string),
        }
    }
}

/// A trigger with nothing but what every trigger has.
pub(crate) fn trigger(function: &str, name: &str, kind: TriggerKind, span: Span) -> Trigger {
    Trigger {
        function: function.to_string(),
        name: name.to_string(),
        kind,
        source: None,
        authorization: None,
        method: None,
        path: None,
        body_schema: None,
        report_batch_item_failures: false,
        filter: None,
        span,
    }
}

fn url_auth(template: &Template, node: Option<&Node>) -> UrlAuth {
    match node.and_then(|node| template.text(node)).as_deref() {
        Some("NONE") => UrlAuth::None,
        Some("AWS_IAM") => UrlAuth::Iam,
        _ => UrlAuth::Unknown,
    }
}

fn read_function(template: &Template, block: &Block, sam: bool) -> Function {
    let text = |name: &str| block.get(name).and_then(|node| template.text_setting(node));
    let number = |name: &str| block.get(name).and_then(|node| template.number(node));
    let setting = |node: &Node| Setting { value: template.value(node), span: node.span };
    let image = text("PackageType").is_some_and(|kind| kind.value == "Image");
    let dead_letter = if sam { ["DeadLetterQueue", "TargetArn"] } else { ["DeadLetterConfig", "TargetArn"] };
    let tracing = if sam {
        block.get("Tracing").and_then(|node| template.text(node))
    } else {
        block.at(&["TracingConfig", "Mode"]).and_then(|node| template.text(node))
    };
    let vpc = block.get("VpcConfig").filter(|vpc| vpc.is_mapping());
    let in_vpc = vpc.is_some_and(|vpc| {
        let subnets = vpc.get("SubnetIds");
        // `SubnetIds: []` is how a template says: not in a VPC.
        subnets.is_some_and(|subnets| !(subnets.is_null() || subnets.is_sequence() && subnets.items().is_empty()))
            || (subnets.is_none() && !vpc.entries().is_empty())
    });
    Function {
        name: block.name.clone(),
        resource_type: block.resource_type.clone(),
        span: block.span,
        deployed_name: block
            .get("FunctionName")
            .map(|node| template.value(node))
            .filter(|name| !name.parts().is_empty()),
        runtime: text("Runtime").filter(|_| !image),
        handler: text("Handler").filter(|_| !image),
        code: code(template, block, sam, image),
        environment: environment(template, block),
        identity: None,
        role: block.get("Role").filter(|role| !role.is_null()).map(setting),
        url: None,
        timeout: number("Timeout"),
        memory: number("MemorySize"),
        layers: block.get("Layers").map(|layers| template.values(layers)).unwrap_or_default(),
        in_vpc,
        reserved_concurrency: number("ReservedConcurrentExecutions"),
        dead_letter: block.at(&dead_letter).map(setting),
        architecture: block
            .get("Architectures")
            .and_then(|list| list.one_or_many().first())
            .and_then(|node| template.text(node)),
        tracing,
        log_group: None,
        behaviour: None,
    }
}

fn environment(template: &Template, block: &Block) -> Vec<EnvironmentVariable> {
    block.at(&["Environment", "Variables"]).map_or_else(Vec::new, |variables| {
        variables
            .entries()
            .iter()
            .map(|entry| EnvironmentVariable {
                name: entry.key.clone(),
                value: template.value(&entry.value),
                // An empty value has no place of its own.
                span: if entry.value.span.start == entry.value.span.end { entry.key_span } else { entry.value.span },
            })
            .collect()
    })
}

fn code(template: &Template, block: &Block, sam: bool, image: bool) -> Code {
    let shown = |node: &Node| Setting { value: template.value(node).to_string(), span: node.span };
    if sam {
        if let Some(inline) = block.get("InlineCode") {
            return Code::Inline(shown(inline));
        }
        if let Some(uri) = block.get("ImageUri") {
            return Code::Image(shown(uri));
        }
        if image {
            let span = block.properties.entry("PackageType").map_or(block.name_span, |entry| entry.value.span);
            let tag = block.node.at(&["Metadata", "DockerTag"]).and_then(Node::as_str).unwrap_or("");
            return Code::Image(Setting { value: tag.to_string(), span });
        }
        return match block.get("CodeUri") {
            Some(uri) => location(template, uri, "Bucket", "Key"),
            // Where nothing is said, `sam build` takes the template's own folder.
            None if template.folder.is_empty() => Code::Local(Setting { value: ".".into(), span: block.name_span }),
            None => Code::Local(Setting { value: template.folder.clone(), span: block.name_span }),
        };
    }
    let Some(code) = block.get("Code") else { return Code::Unknown };
    if let Some(inline) = code.get("ZipFile") {
        return Code::Inline(shown(inline));
    }
    if let Some(uri) = code.get("ImageUri") {
        return Code::Image(shown(uri));
    }
    asset(template, block, code).unwrap_or_else(|| location(template, code, "S3Bucket", "S3Key"))
}

/// The folder or archive of the CDK's output that is uploaded as a function's code: as its metadata says, or by its key in the
/// bucket.
fn asset(template: &Template, block: &Block, code: &Node) -> Option<Code> {
    let metadata = block.node.get("Metadata");
    let property = metadata.and_then(|metadata| metadata.get("aws:asset:property")).and_then(Node::as_str);
    let path = metadata
        .and_then(|metadata| metadata.get("aws:asset:path"))
        .and_then(Node::as_str)
        .filter(|_| property.is_none_or(|property| property == "Code"));
    let path = match path {
        Some(path) => local_path(&template.folder, path)?,
        None => template.siblings.assets.get(&template.text(code.get("S3Key")?)?)?.clone(),
    };
    Some(Code::Local(Setting { value: path, span: code.span }))
}

/// A folder of the repository, or a place in a bucket given by address or by bucket and key.
fn location(template: &Template, node: &Node, bucket: &str, key: &str) -> Code {
    let span = node.span;
    if let (NodeKind::Mapping(_), Some(bucket)) = (&node.kind, node.get(bucket)) {
        let key = node.get(key).map(|key| template.value(key)).unwrap_or_default();
        return Code::Remote(Setting { value: format!("s3://{}/{key}", template.value(bucket)), span });
    }
    let written = template.value(node);
    match written.as_text() {
        Some("") => Code::Unknown,
        Some(text) => match local_path(&template.folder, text) {
            Some(path) if path.is_empty() => Code::Local(Setting { value: ".".into(), span }),
            Some(path) => Code::Local(Setting { value: path, span }),
            None => Code::Remote(Setting { value: text.to_string(), span }),
        },
        None if node.is_mapping() && crate::normalize::intrinsic(node).is_none() => Code::Unknown,
        None => Code::Remote(Setting { value: written.to_string(), span }),
    }
}
