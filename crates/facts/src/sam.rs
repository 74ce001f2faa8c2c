//! SAM's policy templates and connectors, as the SAM translator publishes them.

use crate::table::{Row, Table};

const TEMPLATES: Table = Table::new(include_str!("../data/sam_policy_templates.txt"));
const CONNECTORS: Table = Table::new(include_str!("../data/sam_connectors.txt"));

/// A SAM policy template, such as `DynamoDBCrudPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyTemplate {
    /// Its name.
    pub name: &'static str,
    parameters: &'static str,
    /// Its statements: a JSON array as in an IAM policy, where `{"Ref": "TableName"}` within `Fn::Sub` stands for a
    /// parameter.
    pub statements: &'static str,
}

impl PolicyTemplate {
    fn of(row: Row) -> Self {
        Self { name: row.key(), parameters: row.column(1), statements: row.column(2) }
    }

    /// The names of its parameters; all of them must be given.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.parameters.split(',').filter(|name| !name.is_empty())
    }
}

/// The SAM policy template of this name.
#[must_use]
pub fn sam_policy_template(name: &str) -> Option<PolicyTemplate> {
    TEMPLATES.find_exact(name).map(PolicyTemplate::of)
}

/// All SAM policy templates.
pub fn sam_policy_templates() -> impl Iterator<Item = PolicyTemplate> {
    TEMPLATES.rows().map(PolicyTemplate::of)
}

/// What a SAM connector between two resource types grants, as JSON: `Type` says in what form, `Properties` holds
/// `SourcePolicy` and the `AccessCategories` with their statements, where `%{Source.Arn}` and the like are to fill in.
#[must_use]
pub fn connector(source_type: &str, destination_type: &str) -> Option<&'static str> {
    CONNECTORS.find_exact(&format!("{source_type} {destination_type}")).map(|row| row.column(1))
}

/// All connectors: source type, destination type, and what [`connector`] gives.
pub fn connectors() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    CONNECTORS.rows().filter_map(|row| {
        let (source, destination) = row.key().split_once(' ')?;
        Some((source, destination, row.column(1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_its_parameters_and_statements() {
        let template = sam_policy_template("DynamoDBCrudPolicy").unwrap();
        assert_eq!(template.parameters().collect::<Vec<_>>(), ["TableName"]);
        assert!(template.statements.starts_with('['), "{}", template.statements);
        assert!(
            template.statements.contains("dynamodb:PutItem") && template.statements.contains(r#"{"Ref":"TableName"}"#)
        );
        assert!(sam_policy_template("dynamodbcrudpolicy").is_none());
        assert!(sam_policy_template("NoSuchPolicy").is_none());
        assert!(sam_policy_templates().count() >= 80);
    }

    #[test]
    fn a_connector_has_its_statements() {
        let grant = connector("AWS::Lambda::Function", "AWS::DynamoDB::Table").unwrap();
        assert!(grant.contains("dynamodb:GetItem") && grant.contains("%{Destination.Arn}"), "{grant}");
        assert!(connector("AWS::DynamoDB::Table", "AWS::S3::Bucket").is_none());
        assert!(
            connectors()
                .any(|(source, destination, _)| (source, destination) == ("AWS::Events::Rule", "AWS::SNS::Topic"))
        );
    }
}
