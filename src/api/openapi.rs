//! The API's description (OpenAPI), for integrators: `GET /api/v1/openapi.json`.
//!
//! The shapes are told from the types themselves: a field that is missing here, or of another type, does not compile.

use crate::api::agents::{AgentRow, DepartureForm, NewAgent};
use crate::api::auth::COOKIE;
use crate::api::flows::{FlowBody, FlowDetail};
use crate::wire::{
    AccountChoice, ApiError, BlockedView, BlocklistFilter, BlocklistForm, BlocklistView, CodeForm, CodeRequest, CompletionForm,
    DispositionForm, DispositionView, FlowResultView, FlowRunView, FlowView, GroupName, Hello, LoginForm, Me, MobileCodeRequest,
    MobileForm, MobileSwitchesForm, PasswordForm, ProfileForm, RecordFilter, RecordPage, RecordView, RecordingView, RecoveryForm, Role,
    SmsLoginAnswer, SmsLoginForm, SmsOutboxRow, Waveform,
};
use actix_web::HttpResponse;
use cordboard_core::flow::Definition;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ComponentsBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, InfoBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr, Required, ResponseBuilder};

/// `GET /openapi.json`.
pub async fn description() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

/// How a type stands in JSON.
trait Shape {
    fn shape() -> RefOr<Schema>;
    /// Whether a request may leave it out.
    const OPTIONAL: bool = false;
}

macro_rules! plain_shapes {
    ($($type:ty: $kind:ident),* $(,)?) => {$(
        impl Shape for $type {
            fn shape() -> RefOr<Schema> {
                Schema::from(ObjectBuilder::new().schema_type(Type::$kind).build()).into()
            }
        }
    )*};
}

plain_shapes! { String: String, bool: Boolean, i32: Integer, i64: Integer, u32: Integer, f32: Number }

impl<T: Shape> Shape for Option<T> {
    const OPTIONAL: bool = true;

    fn shape() -> RefOr<Schema> {
        match T::shape() {
            RefOr::T(Schema::Object(mut object)) => {
                if let SchemaType::Type(kind) = object.schema_type {
                    object.schema_type = SchemaType::Array(vec![kind, Type::Null]);
                }
                Schema::Object(object).into()
            }
            other => other,
        }
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn shape() -> RefOr<Schema> {
        Schema::from(ArrayBuilder::new().items(T::shape()).build()).into()
    }
}

/// Shapes of structs, which stand among the components under their names.
macro_rules! struct_shapes {
    ($($name:ident { $($field:ident: $of:ty),* $(,)? })*) => {
        $(
            impl Shape for $name {
                fn shape() -> RefOr<Schema> {
                    Ref::from_schema_name(stringify!($name)).into()
                }
            }
            const _: fn($name) = |whole| {
                let $name { $($field),* } = whole;
                $(let _: $of = $field;)*
            };
        )*

        /// Name and shape of each struct.
        fn structs() -> Vec<(&'static str, Schema)> {
            vec![$({
                let object = ObjectBuilder::new();
                $(
                    let object = object.property(in_json(stringify!($field)), <$of as Shape>::shape());
                    let object = if <$of as Shape>::OPTIONAL { object } else { object.required(in_json(stringify!($field))) };
                )*
                (stringify!($name), object.build().into())
            }),*]
        }
    };
}

struct_shapes! {
    ApiError { code: String, message: String }
    Hello { version: String, demo: bool }
    LoginForm { email: String, password: String }
    PasswordForm { old: String, new: String }
    Me {
        name: String, nickname: Option<String>, number: String, email: String, role: Role, mobile: Option<String>,
        avatar: Option<String>, must_change_password: bool,
    }
    CodeRequest { mobile: String }
    SmsLoginForm { mobile: String, code: String, account: Option<i32> }
    SmsLoginAnswer { me: Option<Me>, accounts: Vec<AccountChoice> }
    AccountChoice { id: i32, name: String, email: String }
    CodeForm { mobile: String, code: String }
    RecoveryForm { mobile: String, code: String, account: i32, password: String }
    MobileCodeRequest { old: Option<String>, mobile: String }
    ProfileForm { nickname: Option<String> }
    MobileSwitchesForm { answering: Option<bool>, outbound: Option<bool> }
    MobileForm { old: Option<String>, mobile: String, code: String }
    CompletionForm { bind: Option<CodeForm>, nickname: Option<String>, password: String }
    SmsOutboxRow { at: i64, mobile: String, text: String }
    BlocklistView { items: Vec<BlockedView>, page: u32, total: i64, page_size: u32 }
    BlockedView { id: i32, number: String, prefix: bool, until: Option<i64>, note: String, by: Option<String>, at: i64 }
    BlocklistForm { number: String, prefix: bool, until: Option<i64>, note: String }
    DispositionView { id: i32, name: String, position: i32, enabled: bool }
    DispositionForm { name: String, position: Option<i32>, enabled: bool }
    RecordPage { items: Vec<RecordView>, page: u32, total: i64, page_size: u32, groups: Vec<GroupName>, dispositions: Vec<String> }
    GroupName { id: i32, name: String }
    RecordView {
        id: String, call: String, time: i64, call_type: String, caller: String, contact: String, status: String,
        hung_up_by: Option<String>, group: Option<String>, agent: Option<String>, duration: i64, wait: i64, ring: i64, hold: i64,
        mos: Option<f32>, remark: String, disposition: String, flows: Vec<FlowRunView>, recording: Option<RecordingView>,
    }
    FlowRunView { flow: String, finished: bool, results: Vec<FlowResultView> }
    FlowResultView { name: String, value: String }
    FlowView { id: i32, name: String, enabled: bool }
    FlowDetail { id: i32, name: String, enabled: bool, definition: Definition }
    FlowBody { name: String, enabled: bool, definition: Definition }
    RecordingView { id: String, state: String, duration: i64 }
    Waveform { customer: Vec<f32>, agent: Vec<f32>, duration: i64 }
    AgentRow {
        id: i32, email: String, number: String, name: String, nickname: Option<String>, role: Role, groups: Vec<i32>,
        must_change_password: bool, without_password: bool,
    }
    DepartureForm { end_call: Option<bool> }
    NewAgent { email: String, number: String, name: String, nickname: Option<String>, role: Role, groups: Vec<i32> }
}

/// `start`, and under `nodes` one object for each node, told apart by its `type`.
impl Shape for Definition {
    fn shape() -> RefOr<Schema> {
        let nodes = ObjectBuilder::new().additional_properties(Some(Schema::from(ObjectBuilder::new().build())));
        let what = "The first node's name, and the nodes by name. Types: prompt, menu, digits, result, end (ARCHITECTURE.md).";
        let object = ObjectBuilder::new().description(Some(what)).property("start", String::shape()).property("nodes", nodes.build());
        Schema::from(object.required("start").required("nodes").build()).into()
    }
}

impl Shape for Role {
    fn shape() -> RefOr<Schema> {
        let names = [Self::Agent, Self::Supervisor, Self::Admin].map(|role| serde_json::to_value(role).unwrap_or_default());
        Schema::from(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).build()).into()
    }
}

/// The filter's keys, as parameters of a query.
fn filter_keys() -> Vec<Parameter> {
    let RecordFilter { from, to, group, status, call_type, caller, contact, disposition, page } = RecordFilter::default();
    vec![
        query("from", "Not before this moment (milliseconds since 1970 UTC).", from),
        query("to", "Before this moment.", to),
        query("group", "A skill group's id.", group),
        query("status", "How the call ended, such as normal_end.", status),
        query("callType", "inbound, outbound or internal.", call_type),
        query("caller", "Digits of the caller's number; all of them where it is masked.", caller),
        query("contact", "Digits of the number that was called.", contact),
        query("disposition", "A disposition's name.", disposition),
        query("page", "From 0.", page),
    ]
}

/// The blocklist's, likewise.
fn blocklist_keys() -> Vec<Parameter> {
    let BlocklistFilter { number, page } = BlocklistFilter::default();
    vec![query("number", "Digits of the number.", number), query("page", "From 0.", page)]
}

fn query<T: Shape>(name: &str, what: &str, _: T) -> Parameter {
    parameter(name, what, ParameterIn::Query, Required::False, T::shape())
}

fn in_path<T: Shape>(name: &str, what: &str) -> Parameter {
    parameter(name, what, ParameterIn::Path, Required::True, T::shape())
}

fn parameter(name: &str, what: &str, place: ParameterIn, required: Required, shape: RefOr<Schema>) -> Parameter {
    ParameterBuilder::new().name(name).description(Some(what)).parameter_in(place).required(required).schema(Some(shape)).build()
}

/// `must_change_password` as `mustChangePassword`.
fn in_json(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let initial = letters.next().map(|letter| letter.to_ascii_uppercase());
        name + &initial.into_iter().chain(letters).collect::<String>()
    })
}

/// One endpoint. Whatever is refused is told as [`ApiError`].
struct Endpoint(OperationBuilder);

impl Endpoint {
    fn new(id: &str, what: &str) -> Self {
        let refused = ResponseBuilder::new().description("Refused; `code` says why.").content(JSON, Content::new(Some(ApiError::shape())));
        Self(OperationBuilder::new().operation_id(Some(id)).summary(Some(what)).response("default", refused))
    }

    fn open_to_all(self) -> Self {
        Self(self.0.security(SecurityRequirement::default()))
    }

    fn with(self, parameters: Vec<Parameter>) -> Self {
        Self(self.0.parameters(Some(parameters)))
    }

    fn takes<T: Shape>(self) -> Self {
        let body = RequestBodyBuilder::new().required(Some(Required::True)).content(JSON, Content::new(Some(T::shape()))).build();
        Self(self.0.request_body(Some(body)))
    }

    fn gives<T: Shape>(self, status: &str) -> Self {
        Self(self.0.response(status, ResponseBuilder::new().description("Done.").content(JSON, Content::new(Some(T::shape())))))
    }

    fn gives_nothing(self) -> Self {
        Self(self.0.response("204", ResponseBuilder::new().description("Done.")))
    }

    fn gives_csv(self) -> Self {
        let file = ResponseBuilder::new()
            .description("The file, its columns named in its first line.")
            .content("text/csv", Content::new(Some(String::shape())));
        Self(self.0.response("200", file))
    }

    fn gives_mp3(self) -> Self {
        let audio = || Content::new(Some(String::shape()));
        let whole = ResponseBuilder::new().description("The MP3: customer left, agent right.").content("audio/mpeg", audio());
        let part = ResponseBuilder::new().description("The range that was asked for.").content("audio/mpeg", audio());
        Self(self.0.response("200", whole).response("206", part))
    }
}

const JSON: &str = "application/json";

fn endpoints() -> Vec<(&'static str, HttpMethod, Endpoint)> {
    use HttpMethod::{Delete, Get, Post, Put};
    let flow = || vec![in_path::<i32>("id", "The flow's id.")];
    let disposition = || vec![in_path::<i32>("id", "The disposition's id.")];
    let record = || vec![in_path::<String>("record", "A service record's id.")];
    vec![
        ("/hello", Get, Endpoint::new("hello", "What the login page needs.").open_to_all().gives::<Hello>("200")),
        (
            "/login",
            Post,
            Endpoint::new("logIn", "Begin a session; ends the account's earlier ones.")
                .open_to_all()
                .takes::<LoginForm>()
                .gives::<Me>("200"),
        ),
        ("/logout", Post, Endpoint::new("logOut", "End the session and go offline.").open_to_all().gives_nothing()),
        (
            "/sms-login/code",
            Post,
            Endpoint::new("sendLoginCode", "Send a code to log in with, if an account has this number; the answer does not tell.")
                .open_to_all()
                .takes::<CodeRequest>()
                .gives_nothing(),
        ),
        (
            "/sms-login",
            Post,
            Endpoint::new("logInBySms", "Begin a session by a code; where several accounts have the number, choose one.")
                .open_to_all()
                .takes::<SmsLoginForm>()
                .gives::<SmsLoginAnswer>("200"),
        ),
        (
            "/recovery/code",
            Post,
            Endpoint::new("sendRecoveryCode", "Send a code for a new password, if an account has this number; the answer does not tell.")
                .open_to_all()
                .takes::<CodeRequest>()
                .gives_nothing(),
        ),
        (
            "/recovery/accounts",
            Post,
            Endpoint::new("recoverable", "The accounts that a code is good for; does not use it up.")
                .open_to_all()
                .takes::<CodeForm>()
                .gives::<Vec<AccountChoice>>("200"),
        ),
        (
            "/recovery",
            Post,
            Endpoint::new("recover", "Set a new password by a code and begin a session; ends the account's earlier ones.")
                .open_to_all()
                .takes::<RecoveryForm>()
                .gives::<Me>("200"),
        ),
        (
            "/complete",
            Post,
            Endpoint::new("complete", "After the first login: bind a mobile number and choose a password.")
                .takes::<CompletionForm>()
                .gives::<Me>("200"),
        ),
        (
            "/mobile/code",
            Post,
            Endpoint::new("sendBindingCode", "Send a code to the number that this account is to have.")
                .takes::<MobileCodeRequest>()
                .gives_nothing(),
        ),
        ("/mobile", Post, Endpoint::new("changeMobile", "Bind another mobile number.").takes::<MobileForm>().gives::<Me>("200")),
        (
            "/mobile/switches",
            Post,
            Endpoint::new("switchMobile", "Answer on the bound mobile, or begin calls out there; null leaves it.")
                .takes::<MobileSwitchesForm>()
                .gives_nothing(),
        ),
        ("/profile", Post, Endpoint::new("changeProfile", "Change the nickname.").takes::<ProfileForm>().gives::<Me>("200")),
        (
            "/avatar",
            Post,
            Endpoint::new(
                "setAvatar",
                "Set the picture: a PNG, JPEG or WebP file of at most 1 MiB as the body, or nothing to take it away.",
            )
            .gives::<Me>("200"),
        ),
        (
            "/sms-outbox",
            Get,
            Endpoint::new("smsOutbox", "Text messages of a switch without a gateway (admins).").gives::<Vec<SmsOutboxRow>>("200"),
        ),
        ("/me", Get, Endpoint::new("me", "The account of this session.").gives::<Me>("200")),
        (
            "/password",
            Post,
            Endpoint::new("changePassword", "Change the password; ends the other sessions.").takes::<PasswordForm>().gives_nothing(),
        ),
        (
            "/records",
            Get,
            Endpoint::new("records", "Service records: agents' own, supervisors' groups', admins all.")
                .with(filter_keys())
                .gives::<RecordPage>("200"),
        ),
        (
            "/records.csv",
            Get,
            Endpoint::new("exportRecords", "Service records as a CSV file (supervisors and admins).").with(filter_keys()).gives_csv(),
        ),
        (
            "/recordings/{record}.mp3",
            Get,
            Endpoint::new("recording", "A record's part of its call's recording.").with(record()).gives_mp3(),
        ),
        (
            "/recordings/{record}/waveform",
            Get,
            Endpoint::new("waveform", "The recording's drawing.").with(record()).gives::<Waveform>("200"),
        ),
        (
            "/flows",
            Get,
            Endpoint::new("flows", "Self-service flows: for agents those they may start, for admins all.").gives::<Vec<FlowView>>("200"),
        ),
        ("/flows", Post, Endpoint::new("createFlow", "Make a flow (admins).").takes::<FlowBody>().gives::<FlowDetail>("201")),
        ("/flows/{id}", Get, Endpoint::new("flow", "A flow with its nodes (admins).").with(flow()).gives::<FlowDetail>("200")),
        (
            "/flows/{id}",
            Put,
            Endpoint::new("changeFlow", "Change a flow; who is in it goes on with the old one (admins).")
                .with(flow())
                .takes::<FlowBody>()
                .gives::<FlowDetail>("200"),
        ),
        ("/flows/{id}", Delete, Endpoint::new("deleteFlow", "Delete a flow (admins).").with(flow()).gives_nothing()),
        (
            "/blocklist",
            Get,
            Endpoint::new("blocklist", "Callers who are refused, newest first (supervisors and admins).")
                .with(blocklist_keys())
                .gives::<BlocklistView>("200"),
        ),
        (
            "/blocklist",
            Post,
            Endpoint::new("block", "Refuse a number, or all that begin so, from the next call on (supervisors and admins).")
                .takes::<BlocklistForm>()
                .gives_nothing(),
        ),
        (
            "/blocklist/{id}",
            Delete,
            Endpoint::new("unblock", "Take an entry off the blocklist (supervisors and admins).")
                .with(vec![in_path::<i32>("id", "The entry's id.")])
                .gives_nothing(),
        ),
        (
            "/dispositions",
            Get,
            Endpoint::new(
                "dispositions",
                "What a call can be said to have been about: for admins also those that are not chosen any more.",
            )
            .gives::<Vec<DispositionView>>("200"),
        ),
        (
            "/dispositions",
            Post,
            Endpoint::new("createDisposition", "Add a disposition (admins).").takes::<DispositionForm>().gives::<DispositionView>("201"),
        ),
        (
            "/dispositions/{id}",
            Put,
            Endpoint::new("changeDisposition", "Change a disposition; records keep the old name (admins).")
                .with(disposition())
                .takes::<DispositionForm>()
                .gives::<DispositionView>("200"),
        ),
        (
            "/dispositions/{id}",
            Delete,
            Endpoint::new("deleteDisposition", "Delete a disposition; records keep its name (admins).").with(disposition()).gives_nothing(),
        ),
        ("/agents", Get, Endpoint::new("agents", "All accounts (admins).").gives::<Vec<AgentRow>>("200")),
        (
            "/agents",
            Post,
            Endpoint::new("createAgent", "Make an account and mail its one-time password (admins).")
                .takes::<NewAgent>()
                .gives::<AgentRow>("201"),
        ),
        (
            "/agents/{id}/reset",
            Post,
            Endpoint::new("resetPassword", "Mail a new one-time password and end the sessions (admins).")
                .with(vec![in_path::<i32>("id", "The account's id.")])
                .takes::<DepartureForm>()
                .gives_nothing(),
        ),
        (
            "/agents/{id}/force-offline",
            Post,
            Endpoint::new("forceOffline", "Take an agent offline, after a call in progress unless that is to end (admins).")
                .with(vec![in_path::<i32>("id", "The account's id.")])
                .takes::<DepartureForm>()
                .gives_nothing(),
        ),
    ]
}

fn document() -> OpenApi {
    let mut paths = Paths::new();
    for (path, method, Endpoint(operation)) in endpoints() {
        let item = PathItem::new(method, operation);
        paths.paths.entry(format!("/api/v1{path}")).or_default().merge_operations(item);
    }
    let what = "Requests that change something must name this switch's own page in the Origin header.";
    let components = structs().into_iter().fold(ComponentsBuilder::new(), |all, (name, shape)| all.schema(name, shape));
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Cordboard").version(env!("CARGO_PKG_VERSION")).description(Some(what)).build())
        .paths(paths)
        .components(Some(components.security_scheme("session", cookie).build()))
        .security(Some([SecurityRequirement::new("session", Vec::<String>::new())]))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_json() {
        assert_eq!((in_json("must_change_password"), in_json("id")), ("mustChangePassword".to_owned(), "id".to_owned()));
        let told = serde_json::to_value(Hello { version: String::new(), demo: false }).unwrap();
        let shapes = structs();
        let Some((_, Schema::Object(hello))) = shapes.iter().find(|(name, _)| *name == "Hello") else { panic!("Hello is a struct") };
        assert!(told.as_object().unwrap().keys().eq(hello.properties.keys()));
    }

    #[test]
    fn every_reference_leads_to_a_component() {
        let text = serde_json::to_string(&document()).unwrap();
        let known = structs();
        let mut references = 0;
        for part in text.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(known.iter().any(|(known, _)| *known == name), "{name}");
            references += 1;
        }
        assert!(references > 20, "{references}");
    }
}
