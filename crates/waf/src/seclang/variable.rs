//! Variables, their selectors, and lists of targets.

use super::pattern::Pattern;
use super::syntax::Text;

macro_rules! variables {
    ($($name:ident = $text:literal $(| $alias:literal)* => $kind:expr;)*) => {
        /// A variable, by its SecLang name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub(crate) enum Variable { $($name,)* }

        impl Variable {
            /// The variable called `name`, in any case.
            pub(crate) fn named(name: &str) -> Option<Variable> {
                let name = name.to_ascii_uppercase();
                match name.as_str() {
                    $($text $(| $alias)* => Some(Variable::$name),)*
                    _ => None,
                }
            }

            pub(crate) fn name(self) -> &'static str {
                match self { $(Variable::$name => $text,)* }
            }

            pub(crate) fn kind(self) -> Kind {
                match self { $(Variable::$name => $kind,)* }
            }
        }
    };
}

/// Where a variable's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Items of the transaction's stores: their values or their names.
    Stored(&'static [Store], Part),
    /// Worked out when it is asked for.
    Computed,
    /// A collection of the rules' own: transaction, environment, persistent.
    Own,
    /// Known, and never holding anything here.
    Absent,
}

/// Which half of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) enum Part {
    Value,
    Name,
}

macro_rules! stores {
    ($($name:ident)*) => {
        /// What a transaction keeps of a request and its response.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub(crate) enum Store { $($name,)* }
        /// How many there are.
        pub(crate) const STORES: usize = [$(Store::$name,)*].len();
    };
}

stores! {
    ArgsGet ArgsPost ArgsPath RequestHeaders RequestCookies Files FilesSizes FilesContent PartHeaders PartNames PartFilenames
    ResponseHeaders XmlText XmlAttributes RequestLine RequestMethod RequestUri RequestUriRaw RequestFilename
    RequestBasename RequestProtocol QueryString RequestBody RemoteAddr RemoteHost RemotePort RemoteUser ServerAddr
    ServerName ServerPort AuthType UniqueId PathInfo ResponseBody ResponseStatus ResponseProtocol ResponseContentType
    StatusLine
}

use Kind::{Absent, Computed, Own, Stored};
use Part::{Name, Value};
use Store as S;

variables! {
    Args = "ARGS" => Stored(&[S::ArgsGet, S::ArgsPost, S::ArgsPath], Value);
    ArgsNames = "ARGS_NAMES" => Stored(&[S::ArgsGet, S::ArgsPost, S::ArgsPath], Name);
    ArgsGet = "ARGS_GET" => Stored(&[S::ArgsGet], Value);
    ArgsGetNames = "ARGS_GET_NAMES" => Stored(&[S::ArgsGet], Name);
    ArgsPost = "ARGS_POST" => Stored(&[S::ArgsPost], Value);
    ArgsPostNames = "ARGS_POST_NAMES" => Stored(&[S::ArgsPost], Name);
    ArgsPath = "ARGS_PATH" => Stored(&[S::ArgsPath], Value);
    ArgsCombinedSize = "ARGS_COMBINED_SIZE" => Computed;
    AuthType = "AUTH_TYPE" => Stored(&[S::AuthType], Value);
    Duration = "DURATION" => Computed;
    Env = "ENV" => Own;
    Files = "FILES" => Stored(&[S::Files], Value);
    FilesNames = "FILES_NAMES" => Stored(&[S::Files], Name);
    FilesSizes = "FILES_SIZES" => Stored(&[S::FilesSizes], Value);
    FilesTmpContent = "FILES_TMP_CONTENT" => Stored(&[S::FilesContent], Value);
    FilesTmpNames = "FILES_TMPNAMES" => Absent;
    FilesCombinedSize = "FILES_COMBINED_SIZE" => Computed;
    FullRequest = "FULL_REQUEST" => Computed;
    FullRequestLength = "FULL_REQUEST_LENGTH" => Computed;
    Geo = "GEO" => Absent;
    Global = "GLOBAL" => Own;
    HighestSeverity = "HIGHEST_SEVERITY" => Computed;
    InboundDataError = "INBOUND_DATA_ERROR" => Computed;
    Ip = "IP" => Own;
    MatchedVar = "MATCHED_VAR" => Computed;
    MatchedVarName = "MATCHED_VAR_NAME" => Computed;
    MatchedVars = "MATCHED_VARS" => Computed;
    MatchedVarsNames = "MATCHED_VARS_NAMES" => Computed;
    ModsecBuild = "MODSEC_BUILD" => Absent;
    MscPcreError = "MSC_PCRE_ERROR" => Absent;
    MscPcreLimitsExceeded = "MSC_PCRE_LIMITS_EXCEEDED" => Absent;
    MultipartBoundaryQuoted = "MULTIPART_BOUNDARY_QUOTED" => Computed;
    MultipartBoundaryWhitespace = "MULTIPART_BOUNDARY_WHITESPACE" => Computed;
    MultipartCrlfLfLines = "MULTIPART_CRLF_LF_LINES" => Computed;
    MultipartDataAfter = "MULTIPART_DATA_AFTER" => Computed;
    MultipartDataBefore = "MULTIPART_DATA_BEFORE" => Computed;
    MultipartFileLimitExceeded = "MULTIPART_FILE_LIMIT_EXCEEDED" => Computed;
    MultipartFilename = "MULTIPART_FILENAME" => Stored(&[S::PartFilenames], Value);
    MultipartHeaderFolding = "MULTIPART_HEADER_FOLDING" => Computed;
    MultipartInvalidHeaderFolding = "MULTIPART_INVALID_HEADER_FOLDING" => Computed;
    MultipartInvalidPart = "MULTIPART_INVALID_PART" => Computed;
    MultipartInvalidQuoting = "MULTIPART_INVALID_QUOTING" => Computed;
    MultipartLfLine = "MULTIPART_LF_LINE" => Computed;
    MultipartMissingSemicolon = "MULTIPART_MISSING_SEMICOLON" => Computed;
    MultipartName = "MULTIPART_NAME" => Stored(&[S::PartNames], Value);
    MultipartPartHeaders = "MULTIPART_PART_HEADERS" => Stored(&[S::PartHeaders], Value);
    MultipartStrictError = "MULTIPART_STRICT_ERROR" => Computed;
    MultipartUnmatchedBoundary = "MULTIPART_UNMATCHED_BOUNDARY" => Computed;
    OutboundDataError = "OUTBOUND_DATA_ERROR" => Computed;
    PathInfo = "PATH_INFO" => Stored(&[S::PathInfo], Value);
    PerfAll = "PERF_ALL" | "PERF_COMBINED" | "PERF_GC" | "PERF_LOGGING" | "PERF_PHASE1" | "PERF_PHASE2" | "PERF_PHASE3"
        | "PERF_PHASE4" | "PERF_PHASE5" | "PERF_RULES" | "PERF_SREAD" | "PERF_SWRITE" => Absent;
    QueryString = "QUERY_STRING" => Stored(&[S::QueryString], Value);
    RemoteAddr = "REMOTE_ADDR" => Stored(&[S::RemoteAddr], Value);
    RemoteHost = "REMOTE_HOST" => Stored(&[S::RemoteHost], Value);
    RemotePort = "REMOTE_PORT" => Stored(&[S::RemotePort], Value);
    RemoteUser = "REMOTE_USER" => Stored(&[S::RemoteUser], Value);
    ReqbodyError = "REQBODY_ERROR" | "REQBODY_PROCESSOR_ERROR" => Computed;
    ReqbodyErrorMsg = "REQBODY_ERROR_MSG" | "REQBODY_PROCESSOR_ERROR_MSG" => Computed;
    ReqbodyProcessor = "REQBODY_PROCESSOR" => Computed;
    RequestBasename = "REQUEST_BASENAME" => Stored(&[S::RequestBasename], Value);
    RequestBody = "REQUEST_BODY" => Stored(&[S::RequestBody], Value);
    RequestBodyLength = "REQUEST_BODY_LENGTH" => Computed;
    RequestCookies = "REQUEST_COOKIES" => Stored(&[S::RequestCookies], Value);
    RequestCookiesNames = "REQUEST_COOKIES_NAMES" => Stored(&[S::RequestCookies], Name);
    RequestFilename = "REQUEST_FILENAME" => Stored(&[S::RequestFilename], Value);
    RequestHeaders = "REQUEST_HEADERS" => Stored(&[S::RequestHeaders], Value);
    RequestHeadersNames = "REQUEST_HEADERS_NAMES" => Stored(&[S::RequestHeaders], Name);
    RequestLine = "REQUEST_LINE" => Stored(&[S::RequestLine], Value);
    RequestMethod = "REQUEST_METHOD" => Stored(&[S::RequestMethod], Value);
    RequestProtocol = "REQUEST_PROTOCOL" => Stored(&[S::RequestProtocol], Value);
    RequestUri = "REQUEST_URI" => Stored(&[S::RequestUri], Value);
    RequestUriRaw = "REQUEST_URI_RAW" => Stored(&[S::RequestUriRaw], Value);
    Resource = "RESOURCE" => Own;
    ResponseBody = "RESPONSE_BODY" => Stored(&[S::ResponseBody], Value);
    ResponseContentLength = "RESPONSE_CONTENT_LENGTH" => Computed;
    ResponseContentType = "RESPONSE_CONTENT_TYPE" => Stored(&[S::ResponseContentType], Value);
    ResponseHeaders = "RESPONSE_HEADERS" => Stored(&[S::ResponseHeaders], Value);
    ResponseHeadersNames = "RESPONSE_HEADERS_NAMES" => Stored(&[S::ResponseHeaders], Name);
    ResponseProtocol = "RESPONSE_PROTOCOL" => Stored(&[S::ResponseProtocol], Value);
    ResponseStatus = "RESPONSE_STATUS" => Stored(&[S::ResponseStatus], Value);
    Rule = "RULE" => Computed;
    ScriptBasename = "SCRIPT_BASENAME" | "SCRIPT_FILENAME" | "SCRIPT_GID" | "SCRIPT_GROUPNAME" | "SCRIPT_MODE"
        | "SCRIPT_UID" | "SCRIPT_USERNAME" => Absent;
    ServerAddr = "SERVER_ADDR" => Stored(&[S::ServerAddr], Value);
    ServerName = "SERVER_NAME" => Stored(&[S::ServerName], Value);
    ServerPort = "SERVER_PORT" => Stored(&[S::ServerPort], Value);
    Session = "SESSION" => Own;
    SessionId = "SESSIONID" => Computed;
    StatusLine = "STATUS_LINE" => Stored(&[S::StatusLine], Value);
    Time = "TIME" => Computed;
    TimeDay = "TIME_DAY" => Computed;
    TimeEpoch = "TIME_EPOCH" => Computed;
    TimeHour = "TIME_HOUR" => Computed;
    TimeMin = "TIME_MIN" => Computed;
    TimeMon = "TIME_MON" => Computed;
    TimeSec = "TIME_SEC" => Computed;
    TimeWday = "TIME_WDAY" => Computed;
    TimeYear = "TIME_YEAR" => Computed;
    Tx = "TX" => Own;
    UniqueId = "UNIQUE_ID" => Stored(&[S::UniqueId], Value);
    UrlencodedError = "URLENCODED_ERROR" => Computed;
    User = "USER" => Own;
    UserId = "USERID" => Computed;
    WebAppId = "WEBAPPID" | "WEBSERVER_ERROR_LOG" | "USERAGENT_IP" | "SDBM_DELETE_ERROR" => Absent;
    XmlText = "XML" => Stored(&[S::XmlText], Value);
    XmlAttributes = "XML://@*" => Stored(&[S::XmlAttributes], Value);
}

/// Which items of a collection are meant.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Selector {
    All,
    /// The one with this name, in lower case: names are compared without case.
    Named(Vec<u8>),
    /// Those whose name matches.
    Matching(Pattern),
}

impl Selector {
    pub(crate) fn takes(&self, name: &[u8]) -> bool {
        match self {
            Selector::All => true,
            Selector::Named(wanted) => name.eq_ignore_ascii_case(wanted),
            Selector::Matching(pattern) => pattern.is_match(name),
        }
    }
}

/// One entry of a rule's target list.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Target {
    pub(crate) variable: Variable,
    pub(crate) selector: Selector,
    /// `&`: the number of items instead of the items.
    pub(crate) count: bool,
    /// `!`: these items are left out.
    pub(crate) exclude: bool,
    /// For `TX:name`, the number of the name.
    pub(crate) slot: Option<u32>,
}

impl Target {
    /// Whether leaving this out leaves out the item `name` of `variable`.
    pub(crate) fn covers(&self, variable: Variable, name: &[u8]) -> bool {
        self.variable == variable && self.selector.takes(name)
    }
}

/// A mistake in a list of targets: where in the text, and what.
pub(crate) type Mistake = (usize, String);

/// Reads a list of targets, `ARGS|!ARGS:id|&TX:/^x/`.
pub(crate) fn targets(text: &Text) -> (Vec<Target>, Vec<Mistake>) {
    let mut out = Vec::new();
    let mut mistakes = Vec::new();
    let bytes = text.value.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut exclude = false;
        let mut count = false;
        while let Some(mark) = bytes.get(at) {
            match mark {
                b'!' => exclude = true,
                b'&' => count = true,
                b' ' | b'\t' => {}
                _ => break,
            }
            at += 1;
        }
        let name_start = at;
        while bytes.get(at).is_some_and(|byte| !matches!(byte, b'|' | b':' | b',')) {
            at += 1;
        }
        let name = text.value.get(name_start..at).unwrap_or_default().trim();
        let mut raw = "";
        let mut regex = false;
        if bytes.get(at) == Some(&b':') {
            at += 1;
            let (from, to, next, slashed) = selector_range(bytes, at, name.eq_ignore_ascii_case("XML"));
            raw = text.value.get(from..to).unwrap_or_default();
            regex = slashed;
            at = next;
        }
        at += 1;
        let Some(mut variable) = Variable::named(name) else {
            mistakes.push((name_start.max(start), format!("unknown variable `{name}`")));
            continue;
        };
        let selector = if variable == Variable::XmlText {
            match raw {
                "" | "/*" => {}
                "//@*" => variable = Variable::XmlAttributes,
                _ => {
                    mistakes.push((name_start, format!("of XPath, only `/*` and `//@*` are known, not `{raw}`")));
                    continue;
                }
            }
            Selector::All
        } else if regex {
            // Names are compared without case.
            match Pattern::new(&format!("(?i){raw}")) {
                Ok(pattern) => Selector::Matching(pattern),
                Err(error) => {
                    mistakes.push((name_start, format!("the selector of `{name}` is no regular expression: {error}")));
                    continue;
                }
            }
        } else if raw.is_empty() {
            Selector::All
        } else {
            Selector::Named(raw.to_ascii_lowercase().into_bytes())
        };
        out.push(Target { variable, selector, count, exclude, slot: None });
    }
    (out, mistakes)
}

/// Start and end of a selector, where the next target begins, and whether it is a regular expression.
fn selector_range(bytes: &[u8], at: usize, xml: bool) -> (usize, usize, usize, bool) {
    let quoted = bytes.get(at) == Some(&b'\'') && !xml;
    let open = if quoted { at + 1 } else { at };
    let slashed = bytes.get(open) == Some(&b'/') && !xml;
    let (from, close): (usize, &[u8]) = match (quoted, slashed) {
        (true, true) => (open + 1, b"/'"),
        (true, false) => (open, b"'"),
        (false, true) => (open + 1, b"/"),
        (false, false) => (open, b"|"),
    };
    let mut end = from;
    while end < bytes.len() {
        match bytes.get(end) {
            Some(b'\\') if slashed => end += 2,
            _ if bytes.get(end..).is_some_and(|rest| rest.starts_with(close)) => break,
            // Lists in `ctl` and updates are separated by commas, too.
            Some(b',') if close == b"|" => break,
            _ => end += 1,
        }
    }
    let end = end.min(bytes.len());
    let mut next = if close == b"|" { end } else { (end + close.len()).min(bytes.len()) };
    while bytes.get(next).is_some_and(|byte| !matches!(byte, b'|' | b',')) {
        next += 1;
    }
    (from, end, next, slashed)
}
