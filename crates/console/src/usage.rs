//! The fence beside what happened: which line of it was used how often, which never, and what no line covers.
//!
//! Read from the lake, so it is about everything that is kept there, not only about this start.
//!
//! Deliberately absent: processes and files. Nothing records them yet, so nothing is claimed about them.

use fence::{EventFence, FunctionFence, NetworkFence, PermissionFence};
use lake::{Cell, Error, Limits, Reader};

/// How many different calls, connections or events of a function are told apart.
const GROUPS: usize = 5000;

/// How often something was used, and when last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Use {
    /// Times it was let through.
    pub(crate) passed: u64,
    /// Times it was held.
    pub(crate) held: u64,
    /// The latest of them, as ISO text.
    pub(crate) last: Option<String>,
}

impl Use {
    pub(crate) const fn never(&self) -> bool {
        self.passed == 0 && self.held == 0
    }

    fn add(&mut self, group: &Use) {
        self.passed += group.passed;
        self.held += group.held;
        if group.last > self.last {
            self.last.clone_from(&group.last);
        }
    }
}

/// Something that happened and that the fence has no line for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outside {
    /// What it was: an event, an action on something, a host and port.
    pub(crate) what: String,
    /// How often and when.
    pub(crate) uses: Use,
}

/// A function's fence, line by line in the fence's order, beside what it did.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    pub(crate) events: Vec<Use>,
    pub(crate) permissions: Vec<Use>,
    pub(crate) network: Vec<Use>,
    pub(crate) invokes: Vec<Use>,
    pub(crate) outside_events: Vec<Outside>,
    pub(crate) outside_calls: Vec<Outside>,
    pub(crate) outside_network: Vec<Outside>,
    /// Whether there were more different things than could be told apart.
    pub(crate) incomplete: bool,
}

impl Usage {
    /// How many lines were never used, of how many.
    pub(crate) fn unused(&self, fence: &FunctionFence) -> (usize, usize) {
        // A line that withholds is there to be never used.
        let granted =
            fence.permissions.iter().zip(&self.permissions).filter(|(line, _)| !line.denies()).map(|(_, uses)| uses);
        let lines: Vec<&Use> = granted.chain(&self.events).chain(&self.network).chain(&self.invokes).collect();
        (lines.iter().filter(|uses| uses.never()).count(), lines.len())
    }

    /// Reads what `function` did and lays it beside its fence.
    pub(crate) fn read(lake: &Reader, function: &str, fence: &FunctionFence) -> Result<Self, Error> {
        let mut usage = Self::default();
        usage.read_events(lake, function, fence)?;
        usage.read_calls(lake, function, fence)?;
        usage.read_network(lake, function, fence)?;
        Ok(usage)
    }

    fn groups(&mut self, lake: &Reader, function: &str, sql: &str) -> Result<Vec<(Vec<Cell>, Use)>, Error> {
        let limits = Limits { rows: GROUPS, ..Limits::default() };
        let table = lake.query_with(sql, &[function.into()], &limits)?;
        self.incomplete |= table.truncated;
        Ok(table
            .rows
            .into_iter()
            .map(|mut row| {
                // Every question below ends with: passed, held, last.
                let last = row.pop().and_then(|cell| cell.as_str().map(str::to_owned));
                let mut count = || {
                    let cell = row.pop().as_ref().and_then(Cell::as_i64).unwrap_or(0);
                    u64::try_from(cell).unwrap_or(0)
                };
                let (held, passed) = (count(), count());
                (row, Use { passed, held, last })
            })
            .collect())
    }

    fn read_events(&mut self, lake: &Reader, function: &str, fence: &FunctionFence) -> Result<(), Error> {
        let groups = self.groups(
            lake,
            function,
            "SELECT trigger, method, path, source, sum(outcome <> 'refused'), sum(outcome = 'refused'), max(time)
             FROM invocations WHERE function = ?1 GROUP BY 1, 2, 3, 4 ORDER BY 7 DESC",
        )?;
        self.events = vec![Use::default(); fence.events.len()];
        for (cells, uses) in groups {
            let text = |place: usize| cells.get(place).and_then(Cell::as_str).unwrap_or_default();
            let event = Event { trigger: text(0), method: text(1), path: text(2), source: text(3) };
            match event.line(&fence.events).and_then(|line| self.events.get_mut(line)) {
                Some(line) => line.add(&uses),
                None => add(&mut self.outside_events, event.label(), &uses),
            }
        }
        Ok(())
    }

    fn read_calls(&mut self, lake: &Reader, function: &str, fence: &FunctionFence) -> Result<(), Error> {
        let groups = self.groups(
            lake,
            function,
            "SELECT api_action, resource, sum(allowed), sum(NOT allowed), max(time)
             FROM cloud_calls WHERE function = ?1 GROUP BY 1, 2 ORDER BY 5 DESC",
        )?;
        self.permissions = vec![Use::default(); fence.permissions.len()];
        self.invokes = vec![Use::default(); fence.invokes.len()];
        for (cells, uses) in groups {
            let action = cells.first().and_then(Cell::as_str).unwrap_or_default();
            let resource = cells.get(1).and_then(Cell::as_str);
            let mut covered = false;
            for (line, permission) in self.permissions.iter_mut().zip(&fence.permissions) {
                if covers(permission, action, resource) {
                    line.add(&uses);
                    covered = true;
                }
            }
            for (line, invoked) in self.invokes.iter_mut().zip(&fence.invokes) {
                let called = action.eq_ignore_ascii_case("lambda:InvokeFunction")
                    && resource.is_some_and(|resource| resource.contains(invoked.as_str()));
                if called {
                    line.add(&uses);
                    covered = true;
                }
            }
            if !covered {
                let what = match resource {
                    Some(resource) => format!("{action} on {resource}"),
                    None => action.to_owned(),
                };
                add(&mut self.outside_calls, what, &uses);
            }
        }
        Ok(())
    }

    fn read_network(&mut self, lake: &Reader, function: &str, fence: &FunctionFence) -> Result<(), Error> {
        let groups = self.groups(
            lake,
            function,
            "SELECT host, port, sum(allowed), sum(NOT allowed), max(time)
             FROM egress WHERE function = ?1 GROUP BY 1, 2 ORDER BY 5 DESC",
        )?;
        self.network = vec![Use::default(); fence.network.len()];
        for (cells, uses) in groups {
            let host = cells.first().and_then(Cell::as_str).unwrap_or_default();
            let port = cells.get(1).and_then(Cell::as_i64).unwrap_or(0);
            let port = u16::try_from(port).unwrap_or(0);
            let line = fence.network.iter().position(|line| reaches(line, host, port));
            match line.and_then(|line| self.network.get_mut(line)) {
                Some(line) => line.add(&uses),
                None => add(&mut self.outside_network, format!("{host}:{port}"), &uses),
            }
        }
        Ok(())
    }
}

fn add(outside: &mut Vec<Outside>, what: String, uses: &Use) {
    match outside.iter_mut().find(|one| one.what == what) {
        Some(one) => one.uses.add(uses),
        None => outside.push(Outside { what, uses: uses.clone() }),
    }
}

/// Whether a line of the fence is about this call, be it to allow or to deny it. The fence's own rule decides.
fn covers(line: &PermissionFence, action: &str, resource: Option<&str>) -> bool {
    let alone = FunctionFence {
        permissions: vec![PermissionFence { allow: Some(line.action().to_owned()), deny: None, ..line.clone() }],
        ..FunctionFence::default()
    };
    alone.permits(action, resource)
}

fn reaches(line: &NetworkFence, host: &str, port: u16) -> bool {
    let alone = FunctionFence { network: vec![line.clone()], ..FunctionFence::default() };
    alone.reaches(host, port)
}

/// An event as its record describes it.
struct Event<'a> {
    trigger: &'a str,
    method: &'a str,
    path: &'a str,
    source: &'a str,
}

impl Event<'_> {
    /// The line of the fence that this event came in by.
    fn line(&self, lines: &[EventFence]) -> Option<usize> {
        let of_kind = |line: &&EventFence| same_kind(&line.source, self.trigger);
        if is_http(self.trigger) {
            // The most specific route wins, as in the API itself: the fewest parameters.
            return lines
                .iter()
                .enumerate()
                .filter(|(_, line)| of_kind(line) && self.is_request_for(line))
                .min_by_key(|(_, line)| {
                    let path = line.path.as_deref().unwrap_or("{proxy+}");
                    (path.contains("+}"), path.matches('{').count())
                })
                .map(|(place, _)| place);
        }
        let mut candidates = lines.iter().enumerate().filter(|(_, line)| of_kind(line));
        let named = candidates.clone().find(|(_, line)| {
            line.resource().is_some_and(|name| self.source.contains(name))
                || line.name.as_deref().is_some_and(|glob| fence::matches_glob(glob, last_part(self.source)))
        });
        // With one line of its kind the deployed name may be anything.
        match (named, candidates.next(), candidates.next()) {
            (Some((place, _)), ..) | (None, Some((place, _)), None) => Some(place),
            _ => None,
        }
    }

    fn is_request_for(&self, line: &EventFence) -> bool {
        let method = line.method.as_deref().unwrap_or("ANY");
        (method == "ANY" || method.eq_ignore_ascii_case(self.method))
            && line.path.as_deref().is_none_or(|route| is_on_route(route, self.path))
    }

    fn label(&self) -> String {
        match (self.method, self.path, self.source) {
            ("", "", "") => self.trigger.to_owned(),
            ("", "", source) => format!("{} {}", self.trigger, last_part(source)),
            (method, path, _) => format!("{method} {path}"),
        }
    }
}

fn last_part(source: &str) -> &str {
    source.rsplit(':').next().unwrap_or(source)
}

fn is_http(kind: &str) -> bool {
    matches!(kind, "http" | "http-api" | "rest-api" | "function-url" | "load-balancer" | "websocket")
}

/// Whether a record's trigger is of a fence's kind; a record may just say `http`.
pub(crate) fn same_kind(of_fence: &str, of_record: &str) -> bool {
    of_fence.eq_ignore_ascii_case(of_record) || (of_record == "http" && is_http(of_fence))
}

/// Whether `path` is on a declared route: `{id}` stands for one segment, `{proxy+}` for the rest.
fn is_on_route(route: &str, path: &str) -> bool {
    if route == "$default" {
        return true;
    }
    let mut segments = path.trim_matches('/').split('/');
    for wanted in route.trim_matches('/').split('/') {
        if wanted.ends_with("+}") {
            return segments.next().is_some();
        }
        match segments.next() {
            Some(segment) if wanted == segment => {}
            Some(segment) if wanted.starts_with('{') && wanted.ends_with('}') && !segment.is_empty() => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lake::Lake;
    use records::{CloudCall, Egress, HttpSummary, Invocation, Outcome, Record};

    #[test]
    fn routes_match_segment_by_segment() {
        for (route, path, expected) in [
            ("/orders", "/orders", true),
            ("/orders", "/orders/", true),
            ("/orders/{id}", "/orders/7", true),
            ("/orders/{id}", "/orders/7/items", false),
            ("/orders/{id}", "/orders/", false),
            ("/{proxy+}", "/a/b/c", true),
            ("/files/{rest+}", "/files", false),
            ("$default", "/anything", true),
            ("/", "/", true),
        ] {
            assert_eq!(is_on_route(route, path), expected, "{route} {path}");
        }
    }

    fn request(method: &str, path: &str, outcome: Outcome, time: i64) -> Record {
        Record::new(
            time,
            "F",
            Invocation {
                trigger: "http".into(),
                outcome,
                duration_us: 1,
                guard_us: 1,
                bytes_in: 0,
                bytes_out: 0,
                cold: false,
                source: Some("203.0.113.9".into()),
                http: Some(HttpSummary { method: method.into(), path: path.into(), status: 200 }),
            },
        )
    }

    fn message(source: &str) -> Record {
        let mut record = request("", "", Outcome::Ok, 5);
        if let records::Body::Invocation(invocation) = &mut record.body {
            invocation.trigger = "sqs".into();
            invocation.source = Some(source.into());
            invocation.http = None;
        }
        record
    }

    fn call(action: &str, resource: &str, allowed: bool) -> Record {
        Record::new(
            6,
            "F",
            CloudCall {
                service: "s3".into(),
                action: action.into(),
                resource: Some(resource.into()),
                allowed,
                ..CloudCall::default()
            },
        )
    }

    fn egress(host: &str, allowed: bool) -> Record {
        Record::new(7, "F", Egress { host: host.into(), port: 443, allowed, ..Egress::default() })
    }

    #[test]
    fn each_line_gets_what_came_through_it_and_the_rest_is_outside() {
        let fence: FunctionFence = serde_json::from_value(serde_json::json!({
            "events": [
                {"source": "http-api", "method": "GET", "path": "/orders/{id}"},
                {"source": "http-api", "method": "GET", "path": "/orders/all"},
                {"source": "sqs", "queue": "Paid"},
                {"source": "schedule"},
            ],
            "permissions": [
                {"allow": "s3:GetObject", "on": "Catalog"},
                {"deny": "s3:Delete*", "on": "*"},
                {"allow": "s3:PutObject", "on": "Catalog"},
            ],
            "network": [{"host": "*.stripe.com", "port": 443}, {"host": "unused.example", "port": 443}],
        }))
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path()).unwrap();
        lake.append(&[
            request("GET", "/orders/1", Outcome::Ok, 1),
            request("GET", "/orders/2", Outcome::Refused, 2),
            request("GET", "/orders/all", Outcome::Ok, 3),
            request("DELETE", "/orders/1", Outcome::Refused, 4),
            message("arn:aws:sqs:eu-west-1:1:shop-Paid-X1"),
            call("s3:GetObject", "Catalog", true),
            call("s3:GetObject", "Catalog", true),
            call("s3:DeleteObject", "Catalog", false),
            call("iam:CreateUser", "x", false),
            egress("api.stripe.com", true),
            egress("evil.example", false),
            Record::new(9, "Other", Egress { host: "evil.example".into(), port: 443, ..Egress::default() }),
        ])
        .unwrap();
        let usage = Usage::read(&lake.reader(), "F", &fence).unwrap();
        let counts = |uses: &[Use]| uses.iter().map(|one| (one.passed, one.held)).collect::<Vec<_>>();
        assert_eq!(counts(&usage.events), [(1, 1), (1, 0), (1, 0), (0, 0)]);
        assert_eq!(usage.events[0].last.as_deref(), Some("1970-01-01T00:00:00.002Z"));
        assert_eq!(counts(&usage.permissions), [(2, 0), (0, 1), (0, 0)]);
        assert_eq!(counts(&usage.network), [(1, 0), (0, 0)]);
        let outside = |list: &[Outside]| list.iter().map(|one| one.what.clone()).collect::<Vec<_>>();
        assert_eq!(outside(&usage.outside_events), ["DELETE /orders/1"]);
        assert_eq!(outside(&usage.outside_calls), ["iam:CreateUser on x"]);
        assert_eq!(outside(&usage.outside_network), ["evil.example:443"]);
        // The schedule, s3:PutObject and the unused host; the denial doesn't count.
        assert_eq!(usage.unused(&fence), (3, 8));
        assert!(!usage.incomplete);
    }

    #[test]
    fn with_two_queues_the_name_decides() {
        let lines: Vec<EventFence> = ["Paid", "Sent"]
            .map(|queue| EventFence { source: "sqs".into(), queue: Some(queue.into()), ..EventFence::default() })
            .into();
        let from = |source| Event { trigger: "sqs", method: "", path: "", source }.line(&lines);
        assert_eq!(from("arn:aws:sqs:r:1:shop-Sent-1"), Some(1));
        assert_eq!(from("arn:aws:sqs:r:1:other"), None);
    }
}
