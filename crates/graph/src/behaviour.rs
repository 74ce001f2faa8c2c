//! What a function's code does, as far as its source tells: the code reader fills it, the fence's derivation reads it.

use crate::Value;
use serde::Serialize;
use source::{FileId, Span};

/// What one function's code does, everything reachable from its handler.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// The files that were read for it, the handler's first.
    pub files: Vec<FileId>,
    /// Where the handler is defined, if it was found.
    pub handler: Option<Span>,
    /// Calls of the cloud's services.
    pub calls: Vec<CloudCall>,
    /// Hosts it talks to by other means than the cloud's SDK.
    pub hosts: Vec<OutboundHost>,
    /// Programs it starts.
    pub processes: Vec<ProcessStart>,
    /// Folders or files it writes.
    pub writes: Vec<FileWrite>,
    /// Fields of the event that it reads.
    pub event_fields: Vec<EventField>,
    /// Modules it imports that are neither its own files nor of the standard library (`boto3`, `@aws-sdk/client-s3`).
    pub imports: Vec<String>,
    /// Parts of the event that reach a place where their text is more than data.
    pub flows: Vec<TaintFlow>,
    /// Habits that weaken it, whatever the event holds.
    pub practices: Vec<Practice>,
    /// Records and objects that it reads or changes by a key.
    pub accesses: Vec<RecordAccess>,
    /// Whether some decision rests on what is known of the caller beyond who it is: a role, a group, a scope.
    pub checks_roles: bool,
    /// Whether the signature of some message, or of the caller's token, is checked.
    pub checks_signatures: bool,
}

/// A record of a table, an object of a bucket or a row of a database that the code reads or changes by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordAccess {
    /// What is done.
    pub kind: AccessKind,
    /// Service as the SDK names it (`dynamodb`, `s3`); `sql` for databases.
    pub service: String,
    /// Operation in the service's own spelling (`GetItem`).
    pub operation: String,
    /// The table or bucket.
    pub target: CallTarget,
    /// What the record is found by, or for new ones what they hold.
    pub key: Vec<KeyPart>,
    /// Whether something that is known of the authenticated caller narrows the operation itself: a part of the key, a condition.
    pub of_caller: bool,
    /// Whether the authenticated caller is compared with something, in the function that does it or around it.
    pub compared: bool,
    /// Whether the operation carries a condition of its own (`ConditionExpression`).
    pub conditional: bool,
    /// How the first part of the key that the event chooses gets there.
    pub steps: Vec<FlowStep>,
    /// Where.
    pub span: Span,
}

/// What an access does to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names are the documentation
pub enum AccessKind {
    Read,
    Write,
    Change,
    Delete,
}

/// A part of what a record is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// Name of the attribute or column (`orderId`); empty where it can't be told.
    pub name: String,
    /// The parts of the event that it is made of; empty where the event has no say in it.
    pub sources: Vec<String>,
}

/// A place that holds data between invocations, as code reads or fills it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreAccess {
    /// Service as the SDK names it (`dynamodb`, `s3`, `sqs`).
    pub service: String,
    /// The table, bucket, queue or topic.
    pub target: CallTarget,
    /// The attribute, where the code tells it.
    pub attribute: Option<String>,
    /// The call.
    pub span: Span,
}

/// A habit of the code that weakens it by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Practice {
    /// Which one.
    pub kind: PracticeKind,
    /// Where.
    pub span: Span,
    /// What to say of this one in particular: a name, a pattern; empty where there is nothing.
    pub detail: String,
    /// The other place that belongs to it: what was read before it is written.
    pub related: Option<Span>,
    /// Whether the handler gets there; functions that nothing calls are looked through for some habits, too.
    pub reachable: bool,
}

/// Habits that the code reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PracticeKind {
    /// A connection that takes any certificate.
    UnverifiedTls,
    /// A hash that can be forged (MD5, SHA-1).
    WeakHash,
    /// Something secret that is made of predictable numbers.
    WeakRandomness,
    /// A token whose claims are read without checking its signature.
    UnverifiedToken,
    /// A stack trace in what the caller gets.
    StackTrace,
    /// Data from elsewhere than the event, read by a format that can run code.
    StoredDeserialization,
    /// The text of any exception in what the caller gets.
    ErrorText,
    /// A loop that never ends, or that asks for the same page for ever.
    EndlessLoop,
    /// The function starts itself again.
    SelfInvocation,
    /// A record is read, looked at and then written without a condition.
    CheckThenWrite,
    /// A file that stays behind for the next invocation.
    LeftoverFile,
    /// Data of one invocation in a variable that the next one sees.
    SharedState,
    /// An object that everyone may read, by the access list it is written with.
    PublicObject,
    /// Files that everyone may write.
    OpenFileMode,
    /// A cookie of a session that scripts or plain connections can read.
    OpenCookie,
    /// An answer that every page may read together with the caller's cookies.
    OpenCors,
    /// A credential written where a key or password is handed over.
    LiteralCredential,
    /// A cipher or mode that doesn't keep its secret.
    WeakCipher,
    /// The name of a secret's variable, or a secret itself, on its way into a log.
    SecretInLog,
    /// All of the environment, in what the caller gets or in the log.
    EnvironmentExposed,
    /// A parser that fetches what a document names.
    ExternalEntities,
    /// An archive unpacked wherever its names lead.
    UnsafeExtraction,
    /// A signature compared in a time that depends on how much of it is right.
    TimedComparison,
    /// A pattern that takes exponential time on some texts.
    SlowPattern,
    /// A template engine that escapes nothing.
    EscapingOff,
    /// An authorizer that lets everyone in.
    AllowsEveryone,
    /// Code that was fetched from elsewhere and is run.
    FetchedCode,
    /// A signed address that takes uploads of any kind and size.
    OpenUpload,
}

/// A part of the event on its way to a place where its text is more than data. Whether anyone hostile writes that part is up
/// to what triggers the function, and isn't said here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaintFlow {
    /// What kind of place it reaches.
    pub sink: Sink,
    /// Path from the event, as in [`EventField::path`]; empty for the event as a whole.
    pub source: String,
    /// How it gets there, from where it is read on; the place it reaches isn't among them.
    pub steps: Vec<FlowStep>,
    /// The place it reaches.
    pub span: Span,
    /// Whether nothing else could stand there instead.
    pub certain: bool,
    /// Where it was read, for what comes out of a store rather than with the event; `source` is empty then.
    pub from: Option<StoreAccess>,
    /// Where it goes, for [`Sink::Store`].
    pub into: Option<StoreAccess>,
}

/// One step of a [`TaintFlow`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowStep {
    /// Where.
    pub span: Span,
    /// What happens, to be read after the name of what is on its way: "becomes part of `command`".
    pub what: String,
}

/// A kind of place where text is more than data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sink {
    /// A command line that a shell reads, or the program that is started.
    Shell,
    /// An argument of a program, without a shell.
    Process,
    /// A statement in SQL or a dialect of it.
    Sql,
    /// A filter or expression of a database without SQL.
    Expression,
    /// Code that is evaluated, or the name of a module that is loaded.
    Eval,
    /// Data that is deserialised by a format which can run code.
    Deserialize,
    /// The path of a file that is read.
    PathRead,
    /// The path of a file that is written, moved or removed.
    PathWrite,
    /// The host of an outbound request, or its whole address.
    Url,
    /// A template or format string.
    Template,
    /// A page sent to a browser.
    Html,
    /// A header of the response.
    ResponseHeader,
    /// A line of the log.
    Log,
    /// The resource of a cloud call.
    CloudResource,
    /// A store that others read.
    Store,
    /// A line of the log, for what nobody else is to read.
    PrivateLog,
    /// A pattern that is searched for.
    Pattern,
    /// A document in XML.
    Xml,
    /// Where a browser is sent.
    Redirect,
    /// The address that a mail or message is sent to.
    Recipient,
    /// The name of a member that is written, or of a function that is called.
    MemberName,
    /// The record itself, whatever fields it has.
    WholeRecord,
    /// How often or how long something is done.
    Amount,
    /// The name of who calls, or what it may do.
    Identity,
    /// A query of a directory or of a document.
    DirectoryQuery,
    /// A card's number, a password or the like, stored as it is.
    PlainStore,
    /// What is to be paid.
    Price,
    /// The answer to the caller, for a record as a whole.
    Answer,
}

/// One call of a cloud service.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudCall {
    /// Service as the SDK names it (`dynamodb`).
    pub service: String,
    /// Operation in the service's own spelling (`PutItem`).
    pub operation: String,
    /// Permissions it needs (`dynamodb:PutItem`); empty where the published data doesn't tell.
    pub actions: Vec<String>,
    /// What it acts on.
    pub target: CallTarget,
    /// Whether it names an index of a table; none where that can't be told or doesn't apply.
    pub index: Option<bool>,
    /// The call.
    pub span: Span,
}

/// What a cloud call acts on, as its source says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallTarget {
    /// The value of an environment variable.
    Environment(String),
    /// A literal name, ARN or URL.
    Literal(String),
    /// The caller of the function chooses it: it comes out of the event.
    Event,
    /// A name that is known in part: its pieces in order, each of another kind than this and [`CallTarget::None`].
    Pattern(Vec<CallTarget>),
    /// The operation names no resource.
    None,
    /// Can't be told.
    Unknown,
}

/// A host the code talks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundHost {
    /// The host, lower case; none where it can't be told from the source.
    pub host: Option<String>,
    /// The environment variable that holds the host or URL, where one does.
    pub environment: Option<String>,
    /// The port (443 and 80 by scheme where none is written).
    pub port: u16,
    /// Whether the caller of the function chooses it.
    pub from_event: bool,
    /// Where.
    pub span: Span,
}

/// A program the code starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStart {
    /// The program's name, where the source tells it.
    pub program: Option<String>,
    /// Whether a shell reads the command line.
    pub shell: bool,
    /// Where.
    pub span: Span,
}

/// A file or folder the code writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWrite {
    /// The path as far as it is literal (`/tmp/report-`), none where nothing of it is.
    pub path: Option<String>,
    /// Where.
    pub span: Span,
}

/// A field of the event that the code reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventField {
    /// Path from the event: `body.items[].sku`, `Records[].body.order_id`; what stands behind a decoded JSON string continues the path.
    pub path: String,
    /// Whether the code fails without it (`event["x"]` rather than `event.get("x")`).
    pub required: bool,
    /// Where.
    pub span: Span,
}

impl CallTarget {
    /// The target as a template value, environment variables looked up among `environment`.
    pub fn resolve(&self, environment: &[crate::EnvironmentVariable]) -> Option<Value> {
        match self {
            Self::Environment(name) => {
                environment.iter().find(|variable| variable.name == *name).map(|variable| variable.value.clone())
            }
            Self::Literal(text) => Some(Value::text(text.clone())),
            Self::Pattern(pieces) => {
                let mut whole = Value::default();
                for piece in pieces {
                    // What can't be told may be anything.
                    whole.extend(piece.resolve(environment).unwrap_or_else(|| Value::text("*")));
                }
                Some(whole)
            }
            Self::Event | Self::None | Self::Unknown => None,
        }
    }
}
