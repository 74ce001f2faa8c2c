//! Which function a request is for: the graph's HTTP triggers, the most specific first.

use graph::{Application, Authorization, Trigger, TriggerKind, UrlAuth};
use percent_encoding::percent_decode_str;
use std::cmp::Ordering;

/// The prefix under which functions with a URL of their own are found.
pub(crate) const URL_PREFIX: &str = "/_url/";

/// Whose event format a route has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// API Gateway's REST API: payload format 1.0.
    Rest,
    /// API Gateway's HTTP API: payload format 2.0.
    Http,
    /// A function URL: format 2.0 as well.
    FunctionUrl,
    /// An application load balancer.
    LoadBalancer,
}

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The function behind it.
    pub function: String,
    /// The method, upper case; `ANY` for all.
    pub method: String,
    /// The path as the API declares it: `/orders/{id}`, `/{proxy+}`, `$default`.
    pub path: String,
    /// Whose event the function expects.
    pub flavor: Flavor,
    /// How callers are told apart.
    pub authorization: Authorization,
}

/// A route that a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The route.
    pub route: Route,
    /// What the path's holes were filled with, decoded.
    pub parameters: Vec<(String, String)>,
    /// The path as the function sees it, still encoded.
    pub path: String,
}

/// What came of looking for a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    Found(Found),
    /// The path is there, for these methods.
    WrongMethod(Vec<String>),
    Nothing,
}

/// All ways in, the most specific first.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    routes: Vec<Route>,
    urls: Vec<Route>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Literal(&'a str),
    One(&'a str),
    Rest(&'a str),
}

impl Routes {
    /// The routes of an application's HTTP triggers and function URLs.
    pub fn of(application: &Application) -> Self {
        let mut routes = Self::default();
        for trigger in &application.triggers {
            if let Some(route) = of_trigger(trigger) {
                routes.add(route);
            }
        }
        for function in &application.functions {
            if let Some(url) = &function.url {
                routes.add(Route {
                    function: function.name.clone(),
                    method: "ANY".into(),
                    path: "$default".into(),
                    flavor: Flavor::FunctionUrl,
                    authorization: if url.auth == UrlAuth::None { Authorization::None } else { Authorization::Iam },
                });
            }
        }
        routes
    }

    /// Adds a route; of two that say the same, the first one counts.
    pub fn add(&mut self, route: Route) {
        if route.flavor == Flavor::FunctionUrl {
            if !self.urls.iter().any(|known| known.function == route.function) {
                self.urls.push(route);
            }
        } else if !self.routes.iter().any(|known| known.method == route.method && known.path == route.path) {
            self.routes.push(route);
            // Stable: of two that are equally specific, the template's first.
            self.routes.sort_by(|left, right| {
                specificity(&left.path, &right.path).then_with(|| (left.method == "ANY").cmp(&(right.method == "ANY")))
            });
        }
    }

    /// Removes the routes of functions that aren't run.
    pub fn keep(&mut self, runs: impl Fn(&str) -> bool) {
        self.routes.retain(|route| runs(&route.function));
        self.urls.retain(|route| runs(&route.function));
    }

    /// All routes, for people: those of APIs, then function URLs with their path here.
    pub fn list(&self) -> impl Iterator<Item = (&Route, String)> {
        let routes = self.routes.iter().map(|route| (route, route.path.clone()));
        routes.chain(self.urls.iter().map(|route| (route, format!("{URL_PREFIX}{}/", route.function))))
    }

    /// Whether there is nothing to serve.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.urls.is_empty()
    }

    /// The function a request is for, and its event; none where no route leads there.
    pub fn event(&self, request: &crate::Incoming, path: &str) -> Option<(String, serde_json::Value)> {
        match self.find(&request.method, path) {
            Lookup::Found(found) => {
                let event = crate::event(request, &found);
                Some((found.route.function, event))
            }
            Lookup::WrongMethod(_) | Lookup::Nothing => None,
        }
    }

    pub(crate) fn find(&self, method: &str, path: &str) -> Lookup {
        if let Some(rest) = path.strip_prefix(URL_PREFIX) {
            let (function, rest) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
            if let Some(route) = self.urls.iter().find(|route| route.function == function) {
                let path = if rest.is_empty() { "/".to_owned() } else { rest.to_owned() };
                return Lookup::Found(Found { route: route.clone(), parameters: Vec::new(), path });
            }
        }
        let segments: Vec<String> = segments(path).map(decode).collect();
        let mut methods = Vec::new();
        for route in &self.routes {
            let Some(parameters) = matches(&route.path, &segments) else { continue };
            if route.method == "ANY" || route.method == method {
                return Lookup::Found(Found { route: route.clone(), parameters, path: path.to_owned() });
            }
            methods.push(route.method.clone());
        }
        if methods.is_empty() { Lookup::Nothing } else { Lookup::WrongMethod(methods) }
    }
}

fn of_trigger(trigger: &Trigger) -> Option<Route> {
    let flavor = match trigger.kind {
        TriggerKind::RestApi => Flavor::Rest,
        TriggerKind::HttpApi => Flavor::Http,
        TriggerKind::LoadBalancer => Flavor::LoadBalancer,
        _ => return None,
    };
    let method = trigger.method.as_deref().unwrap_or("ANY").to_ascii_uppercase();
    let method = if method == "*" || method == "X-AMAZON-APIGATEWAY-ANY-METHOD" { "ANY".to_owned() } else { method };
    Some(Route {
        function: trigger.function.clone(),
        method,
        path: trigger.path.clone().unwrap_or_else(|| "$default".into()),
        flavor,
        authorization: trigger.authorization.clone().unwrap_or(Authorization::None),
    })
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    // A slash at the end changes nothing, as with API Gateway.
    path.trim_start_matches('/').trim_end_matches('/').split('/')
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn parts(path: &str) -> Vec<Part<'_>> {
    if path == "$default" || path == "*" || path == "/*" {
        return vec![Part::Rest("")];
    }
    segments(path)
        .map(|segment| match segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
            Some(inner) => match inner.strip_suffix('+') {
                Some(name) => Part::Rest(name),
                None => Part::One(inner),
            },
            None => Part::Literal(segment),
        })
        .collect()
}

/// Segment by segment: what is written out comes before a hole, a hole before one that takes all.
fn specificity(left: &str, right: &str) -> Ordering {
    let rank = |part: &Part<'_>| match part {
        Part::Literal(_) => 0,
        Part::One(_) => 1,
        Part::Rest(_) => 2,
    };
    let default = |path: &str| path == "$default";
    default(left).cmp(&default(right)).then_with(|| {
        let (left, right): (Vec<_>, Vec<_>) =
            (parts(left).iter().map(rank).collect(), parts(right).iter().map(rank).collect());
        // At equal beginnings, the longer one says more.
        let common = left.len().min(right.len());
        left.iter().take(common).cmp(right.iter().take(common)).then(right.len().cmp(&left.len()))
    })
}

fn matches(template: &str, segments: &[String]) -> Option<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    let mut rest = segments;
    for part in parts(template) {
        match part {
            Part::Rest(name) => {
                let taken = rest.join("/");
                if !name.is_empty() {
                    // `/files/{proxy+}` wants something behind `/files/`.
                    if taken.is_empty() {
                        return None;
                    }
                    parameters.push((name.to_owned(), taken));
                }
                return Some(parameters);
            }
            Part::One(name) => {
                let (first, after) = rest.split_first()?;
                if first.is_empty() {
                    return None;
                }
                parameters.push((name.to_owned(), first.clone()));
                rest = after;
            }
            Part::Literal(text) => {
                let (first, after) = rest.split_first()?;
                if first != text {
                    return None;
                }
                rest = after;
            }
        }
    }
    rest.is_empty().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(list: &[(&str, &str)]) -> Routes {
        let mut routes = Routes::default();
        for (method, path) in list {
            routes.add(Route {
                function: format!("{method} {path}"),
                method: (*method).into(),
                path: (*path).into(),
                flavor: Flavor::Http,
                authorization: Authorization::None,
            });
        }
        routes
    }

    #[test]
    fn the_most_specific_route_wins_whatever_the_order() {
        let routes = routes(&[
            ("ANY", "$default"),
            ("ANY", "/{proxy+}"),
            ("GET", "/orders/{id}"),
            ("GET", "/orders/open"),
            ("ANY", "/orders"),
            ("GET", "/orders"),
            ("GET", "/orders/{id}/items/{item}"),
            ("GET", "/orders/{rest+}"),
        ]);
        for (method, path, expected, parameters) in [
            ("GET", "/orders", "GET /orders", vec![]),
            ("GET", "/orders/", "GET /orders", vec![]),
            ("POST", "/orders", "ANY /orders", vec![]),
            ("GET", "/orders/open", "GET /orders/open", vec![]),
            ("GET", "/orders/o%2F1", "GET /orders/{id}", vec![("id", "o/1")]),
            ("GET", "/orders/1/items/2", "GET /orders/{id}/items/{item}", vec![("id", "1"), ("item", "2")]),
            ("GET", "/orders/1/other/2", "GET /orders/{rest+}", vec![("rest", "1/other/2")]),
            ("POST", "/orders/1", "ANY /{proxy+}", vec![("proxy", "orders/1")]),
            ("GET", "/", "ANY $default", vec![]),
        ] {
            let Lookup::Found(found) = routes.find(method, path) else { panic!("{method} {path} finds nothing") };
            assert_eq!(found.route.function, expected, "{method} {path}");
            let found: Vec<_> = found.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, parameters, "{method} {path}");
        }
    }

    #[test]
    fn an_unknown_path_and_an_unknown_method_are_told_apart() {
        let routes = routes(&[("GET", "/a"), ("PUT", "/a")]);
        assert_eq!(routes.find("POST", "/a"), Lookup::WrongMethod(vec!["GET".into(), "PUT".into()]));
        assert_eq!(routes.find("GET", "/b"), Lookup::Nothing);
        assert_eq!(routes.find("GET", "/_url/Nobody/"), Lookup::Nothing);
        assert_eq!(routes.find("GET", "/a/../a"), Lookup::Nothing);
    }
}
