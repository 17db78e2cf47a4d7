//! What the command line asks of a floor: through the running switch's socket in the data folder, so that it hears of it at once,
//! or directly in the database when no switch runs (I6).
//!
//! One line of JSON each way. Whoever may open the socket (mode 0600) owns the data folder anyway.

use crate::api::{App, Event, accounts, password};
use actix_web::{rt, web};
use cordboard_core::ids::GroupId;
use cordboard_db::floor::{self, ApplyError, Passwords};
use cordboard_db::{AccountForm, Db, PhoneSecret, Role};
use cordboard_sip::digest::{self, Algorithm};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

const SOCKET: &str = "control.sock";
/// A floor of ten thousand agents has about a megabyte.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;
/// Hashing the first passwords of a large floor takes its time.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// `passwords` holds the variables that the floor names by `password_env`, from the environment of whoever asks.
    Apply {
        text: String,
        passwords: BTreeMap<String, String>,
        dry_run: bool,
    },
    Export,
    CreateAccount {
        email: String,
        number: String,
        name: String,
        role: Role,
        /// By name.
        groups: Vec<String>,
    },
    ResetPassword {
        email: String,
    },
    SmsOutbox,
}

#[derive(Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reply {
    /// A line for each change.
    Changes {
        changes: Vec<String>,
    },
    Floor {
        text: String,
    },
    OneTimePassword {
        password: String,
    },
    /// A line for each, newest first.
    Messages {
        messages: Vec<String>,
    },
    /// What was given is wrong: nothing was done.
    Refused {
        messages: Vec<String>,
    },
    /// The switch or its database failed.
    Failed {
        message: String,
    },
}

fn refused(message: impl ToString) -> Reply {
    Reply::Refused { messages: vec![message.to_string()] }
}

fn failed(error: impl ToString) -> Reply {
    Reply::Failed { message: error.to_string() }
}

/// Does what is asked in the database, and says what a running switch must hear of it. Blocks. `realm` is what phones' passwords are for.
pub fn carry_out(db: &Db, realm: &str, ask: Ask) -> (Reply, Option<Event>) {
    match ask {
        Ask::Apply { text, passwords, dry_run } => apply(db, realm, &text, &passwords, dry_run),
        Ask::Export => (floor::export(db).map_or_else(failed, |text| Reply::Floor { text }), None),
        Ask::CreateAccount { email, number, name, role, groups } => match create(db, email, number, name, role, &groups) {
            Ok(password) => (Reply::OneTimePassword { password }, Some(Event::FloorChanged)),
            Err(reply) => (reply, None),
        },
        Ask::SmsOutbox => (outbox(db), None),
        Ask::ResetPassword { email } => match accounts::reset(db, &email) {
            Ok((agent, password)) => (Reply::OneTimePassword { password }, Some(Event::LoggedOut { agent, end_call: false })),
            Err(error) => (account_reply(error), None),
        },
    }
}

fn apply(db: &Db, realm: &str, text: &str, passwords: &BTreeMap<String, String>, dry_run: bool) -> (Reply, Option<Event>) {
    let floor = match floor::parse(text) {
        Ok(floor) => floor,
        Err(errors) => return (Reply::Refused { messages: errors.iter().map(ToString::to_string).collect() }, None),
    };
    let hash = |text: &str| {
        password::check(text).map_err(|weakness| weakness.to_string())?;
        password::hash(text).map_err(|error| error.to_string())
    };
    let phone = |phone: &floor::Phone, text: &str| {
        // Phones take it from a file; whoever hears a registration can try passwords at leisure.
        if !(12..=128).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("expected 12 to 128 letters, digits and signs of ASCII, without spaces".to_owned());
        }
        let algorithm = if phone.md5 { Algorithm::Md5 } else { Algorithm::Sha256 };
        Ok(PhoneSecret { realm: realm.to_owned(), ha1: digest::ha1(algorithm, &phone.user, realm, text) })
    };
    let passwords = Passwords { env: &|name| passwords.get(name).cloned(), hash: &hash, phone: &phone };
    match floor::apply(db, &floor, &passwords, dry_run) {
        Ok(changes) => {
            let event = (!dry_run && !changes.is_empty()).then_some(Event::FloorChanged);
            (Reply::Changes { changes: changes.iter().map(ToString::to_string).collect() }, event)
        }
        Err(ApplyError::Password(error)) => (refused(error), None),
        Err(ApplyError::Db(error)) => (failed(error), None),
    }
}

fn create(db: &Db, email: String, number: String, name: String, role: Role, groups: &[String]) -> Result<String, Reply> {
    let known = db.groups().map_err(failed)?;
    let id_of = |wanted: &String| known.iter().find(|group| group.name == *wanted).map(|group| group.id);
    let groups: Result<Vec<GroupId>, Reply> =
        groups.iter().map(|name| id_of(name).ok_or_else(|| refused(format!("There is no skill group {name:?}.")))).collect();
    let form = AccountForm { email, number, name, nickname: None, role, groups: groups? };
    accounts::create(db, form).map(|(_, password)| password).map_err(account_reply)
}

fn outbox(db: &Db) -> Reply {
    let line = |message: cordboard_db::OutboxMessage| {
        let at = chrono::DateTime::from_timestamp_millis(message.at).unwrap_or_default();
        format!("{}  {}  {}", at.format("%Y-%m-%d %H:%M:%S UTC"), message.mobile, message.text)
    };
    db.outbox().map_or_else(failed, |messages| Reply::Messages { messages: messages.into_iter().map(line).collect() })
}

fn account_reply(error: accounts::AccountError) -> Reply {
    use accounts::AccountError::{Db, Hash, Mistake, Taken, Unknown};
    match error {
        Mistake(_) | Taken(_) | Unknown(_) => refused(error),
        Hash(_) | Db(_) => failed(error),
    }
}

/// Asks the switch that runs on this data folder; none when there is no such switch. Blocks.
pub fn ask_running(data: &Path, ask: &Ask) -> io::Result<Option<Reply>> {
    let mut stream = match UnixStream::connect(data.join(SOCKET)) {
        Ok(stream) => stream,
        // No socket, or one that a killed switch left behind.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_string(ask)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    if answer.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the running switch stopped before it answered"));
    }
    Ok(Some(serde_json::from_str(&answer)?))
}

/// The running switch's end of the socket; the file goes with it.
pub struct Control {
    listener: tokio::net::UnixListener,
    path: PathBuf,
}

impl Control {
    /// Listens in the data folder. Needs a runtime.
    ///
    /// # Errors
    /// Another switch runs on this data folder (there is one for each), or the socket cannot be made.
    pub fn bind(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET);
        if UnixStream::connect(&path).is_ok() {
            let message = format!("another switch runs on the data folder {}", data.display());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, message));
        }
        // Under another name until nobody else may open it.
        let fresh = data.join(format!("{SOCKET}.{}", std::process::id()));
        let listener = tokio::net::UnixListener::bind(&fresh)?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
        fs::rename(&fresh, &path)?;
        Ok(Self { listener, path })
    }

    /// Answers until the future is dropped. Needs actix's runtime.
    pub async fn serve(self, app: web::Data<App>) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let app = app.clone();
                    rt::spawn(async move {
                        if let Err(error) = answer(stream, app).await {
                            tracing::warn!(%error, "the command line went away");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "the control socket could not be removed");
        }
    }
}

async fn answer(stream: tokio::net::UnixStream, app: web::Data<App>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    tokio::io::BufReader::new(read.take(LONGEST_LINE)).read_line(&mut line).await?;
    let reply = match serde_json::from_str::<Ask>(&line) {
        Ok(ask) => {
            let (db, realm) = (app.db.clone(), app.config.sip.realm.clone());
            let (reply, event) = web::block(move || carry_out(&db, &realm, ask)).await.map_err(io::Error::other)?;
            if let Some(event) = event {
                app.tell(event);
            }
            reply
        }
        Err(error) => failed(format!("the switch does not understand this command line; are both of one version? {error}")),
    };
    let mut line = serde_json::to_string(&reply)?;
    line.push('\n');
    write.write_all(line.as_bytes()).await
}
