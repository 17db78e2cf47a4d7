//! The command line (I7). Exit codes: 0 done, 1 failed, 2 what was given is wrong.

use crate::api::control::{self, Ask, Reply};
use crate::config::{Config, LogFormat};
use clap::{Args, Parser, Subcommand, ValueEnum};
use cordboard_db::{Db, Role, floor};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

const FAILED: u8 = 1;
const WRONG: u8 = 2;

/// The telephone switch of a contact centre.
#[derive(Parser)]
#[command(name = "cordboard", version, propagate_version = true)]
pub struct Cli {
    /// The configuration; without one everything listens on loopback only.
    #[arg(long, value_name = "FILE", env = "CORDBOARD_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// Where the database, recordings and spools are.
    #[arg(long, value_name = "DIR", env = "CORDBOARD_DATA", default_value = "data", global = true)]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the switch until SIGTERM; calls in progress may end.
    Serve {
        /// With a demo floor and a simulated carrier that calls in, to try it out.
        #[arg(long)]
        demo: bool,
    },
    /// Bring the floor (agents, groups, trunks, numbers, phones, settings) to what a file says.
    Apply {
        file: PathBuf,
        /// Print what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the floor as a file.
    Export,
    /// Check the configuration.
    CheckConfig,
    /// Accounts, for whoever has the machine: prints a one-time password instead of mailing it.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make an account.
    Create(NewAccount),
    /// Text messages of a switch without an SMS gateway, newest first: the codes in them are for who completes an account or logs in.
    SmsOutbox,
    /// Give an account a new one-time password, which ends its sessions.
    ResetPassword {
        #[arg(long)]
        email: String,
    },
}

#[derive(Args)]
struct NewAccount {
    #[arg(long)]
    email: String,
    /// The agent id that people use.
    #[arg(long)]
    number: String,
    #[arg(long)]
    name: String,
    #[arg(long, value_enum, default_value_t = RoleName::Admin)]
    role: RoleName,
    /// A skill group by name; may be given several times.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Agent,
    Supervisor,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Agent => Self::Agent,
            RoleName::Supervisor => Self::Supervisor,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Why the process ends with another code than 0; the messages go to standard error.
struct Failure {
    code: u8,
    messages: Vec<String>,
}

impl Failure {
    fn wrong(message: impl ToString) -> Self {
        Self { code: WRONG, messages: vec![message.to_string()] }
    }

    fn failed(message: impl ToString) -> Self {
        Self { code: FAILED, messages: vec![message.to_string()] }
    }
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    match perform(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for message in failure.messages {
                eprintln!("cordboard: {message}");
            }
            ExitCode::from(failure.code)
        }
    }
}

fn perform(cli: Cli) -> Result<(), Failure> {
    let config = Config::load(cli.config.as_deref(), &cli.data).map_err(Failure::wrong)?;
    match cli.command {
        Command::Serve { demo } => {
            start_log(&config)?;
            crate::serve::run(config, demo).map_err(Failure::failed)
        }
        Command::CheckConfig => {
            println!("The configuration is good. Pages: {}", config.web.url());
            Ok(())
        }
        Command::Apply { file, dry_run } => apply(&config, &file, dry_run),
        Command::Export => match ask(&config, Ask::Export)? {
            Reply::Floor { text } => {
                print!("{text}");
                Ok(())
            }
            other => Err(unexpected(other)),
        },
        Command::Admin { command: AdminCommand::Create(NewAccount { email, number, name, role, groups }) } => {
            one_time_password(&config, Ask::CreateAccount { email, number, name, role: role.into(), groups })
        }
        Command::Admin { command: AdminCommand::SmsOutbox } => match ask(&config, Ask::SmsOutbox)? {
            Reply::Messages { messages } => {
                for message in messages {
                    println!("{message}");
                }
                Ok(())
            }
            other => Err(unexpected(other)),
        },
        Command::Admin { command: AdminCommand::ResetPassword { email } } => one_time_password(&config, Ask::ResetPassword { email }),
    }
}

/// The WebRTC library tells several lines of each peer at `info`; who wants them names its crates in `log.level`.
const QUIET: &str = "rtc=warn,rtc_ice=warn,rtc_dtls=error,rtc_sctp=warn,webrtc=warn";

/// Writes what happens to standard error, as the configuration says.
fn start_log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.log.level)).map_err(Failure::wrong)?;
    // Colours are for eyes: in a file or a journal they would stand between the words.
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    }
    .map_err(Failure::failed)
}

fn apply(config: &Config, file: &Path, dry_run: bool) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::wrong(format!("{}: {error}", file.display())))?;
    let in_file = |message: &String| format!("{}: {message}", file.display());
    let floor = floor::parse(&text)
        .map_err(|errors| Failure { code: WRONG, messages: errors.iter().map(|error| in_file(&error.to_string())).collect() })?;
    // The passwords stand in the environment of whoever applies the file, which is not the running switch's.
    let agents = floor.agents.values().map(|agent| &agent.password_env);
    let named = agents.chain(floor.phones.values().map(|phone| &phone.password_env)).flatten().cloned();
    let passwords: BTreeMap<_, _> = named.filter_map(|name| std::env::var(&name).ok().map(|value| (name, value))).collect();
    match ask(config, Ask::Apply { text, passwords, dry_run }) {
        Ok(Reply::Changes { changes }) => {
            if changes.is_empty() {
                println!("Nothing to change.");
            }
            for change in changes {
                println!("{change}");
            }
            Ok(())
        }
        Ok(other) => Err(unexpected(other)),
        Err(failure) if failure.code == WRONG => Err(Failure { code: WRONG, messages: failure.messages.iter().map(in_file).collect() }),
        Err(failure) => Err(failure),
    }
}

fn one_time_password(config: &Config, what: Ask) -> Result<(), Failure> {
    match ask(config, what)? {
        Reply::OneTimePassword { password } => {
            println!("One-time password: {password}");
            Ok(())
        }
        other => Err(unexpected(other)),
    }
}

/// Through the running switch if there is one, else in the database.
fn ask(config: &Config, ask: Ask) -> Result<Reply, Failure> {
    let running = control::ask_running(&config.data, &ask).map_err(|error| Failure::failed(format!("the running switch: {error}")))?;
    let reply = match running {
        Some(reply) => reply,
        None => {
            std::fs::create_dir_all(&config.data).map_err(|error| Failure::failed(format!("{}: {error}", config.data.display())))?;
            let db = Db::open(&config.database_url()).map_err(Failure::failed)?;
            control::carry_out(&db, &config.sip.realm, ask).0
        }
    };
    match reply {
        Reply::Refused { messages } => Err(Failure { code: WRONG, messages }),
        Reply::Failed { message } => Err(Failure::failed(message)),
        reply @ (Reply::Changes { .. } | Reply::Floor { .. } | Reply::OneTimePassword { .. } | Reply::Messages { .. }) => Ok(reply),
    }
}

fn unexpected(_: Reply) -> Failure {
    Failure::failed("the running switch gave another answer than was asked for; are both of one version?")
}
