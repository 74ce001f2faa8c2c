//! The state machines of serverless-step-functions.

use super::service::{Service, alphanumeric, normalized, upper_keys};
use super::tree::{list, object_of, put};
use crate::normalize::text_node;
use source::{Entry, Node, NodeKind};

impl Service {
    /// serverless-step-functions: each state machine with its definition.
    pub(super) fn make_state_machines(&mut self) {
        let machines = self.root.at(&["stepFunctions", "stateMachines"]).map_or(&[][..], Node::entries).to_vec();
        for machine in machines {
            let id = machine.value.get("id").and_then(Node::scalar).map(str::to_string);
            // With a name of its own it is called that in the template as well.
            let named = machine.value.get("name").and_then(Node::scalar).map(alphanumeric);
            let id = id.or(named).unwrap_or_else(|| format!("{}StepFunctionsStateMachine", normalized(&machine.key)));
            let mut properties = Vec::new();
            for (from, to) in [("definition", "Definition"), ("name", "StateMachineName"), ("type", "StateMachineType")]
            {
                if let Some(entry) = machine.value.entry(from) {
                    put(&mut properties, to, entry, self.localized(&entry.value, 0));
                }
            }
            for (from, to) in [("loggingConfig", "LoggingConfiguration"), ("tracingConfig", "TracingConfiguration")] {
                if let Some(entry) = machine.value.entry(from) {
                    put(&mut properties, to, entry, upper_keys(&entry.value));
                }
            }
            if let Some(entry) = machine.value.entry("role") {
                put(&mut properties, "RoleArn", entry, Self::role_value(&entry.value));
            }
            let properties = object_of(machine.value.span, properties);
            self.add(&id, machine.key_span, machine.value.span, "AWS::StepFunctions::StateMachine", properties);
        }
    }

    /// A definition in which functions go by the names they have in the service, as the plugin lets them: with their logical ids.
    fn localized(&self, node: &Node, depth: usize) -> Node {
        if depth > 200 {
            return Node::null(node.span);
        }
        let id = |node: &Node| {
            let function = self.function(node.scalar()?)?;
            (!self.brings(&function.key)).then(|| text_node(function.id.clone(), node.span))
        };
        let below = |node: &Node| self.localized(node, depth + 1);
        let kind = match &node.kind {
            NodeKind::Scalar { .. } => return node.clone(),
            NodeKind::Sequence(items) => NodeKind::Sequence(items.iter().map(below).collect()),
            NodeKind::Mapping(entries) => NodeKind::Mapping(
                entries
                    .iter()
                    .map(|entry| {
                        let value = match (entry.key.as_str(), entry.value.items()) {
                            ("Ref", _) => id(&entry.value).unwrap_or_else(|| entry.value.clone()),
                            ("Fn::GetAtt", [name, rest @ ..]) => {
                                let name = id(name).unwrap_or_else(|| name.clone());
                                list(entry.value.span, std::iter::once(name).chain(rest.iter().cloned()).collect())
                            }
                            _ => below(&entry.value),
                        };
                        Entry { key: entry.key.clone(), key_span: entry.key_span, value }
                    })
                    .collect(),
            ),
        };
        Node { span: node.span, tag: None, kind }
    }
}
