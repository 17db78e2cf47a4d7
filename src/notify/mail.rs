//! Mail through an SMTP server (A1).

use crate::config::Config;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;
use thiserror::Error;

/// An admin waits for the answer, so not for longer than this.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why a mail was not accepted. The server's own words are for the admin.
#[derive(Debug, Error)]
pub enum MailError {
    #[error("{0} is not an address that mail can be sent to")]
    Address(String),
    #[error("the message cannot be written: {0}")]
    Message(#[from] lettre::error::Error),
    #[error("the mail server answered: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// The way to the mail server.
pub struct Mailer {
    /// A transport is made for each mail: its connections live on the runtime that it was made on, and mails are rare.
    transport: AsyncSmtpTransportBuilder,
    from: Mailbox,
    /// Where the page is.
    url: String,
}

impl Mailer {
    /// None when mail is not configured.
    pub fn new(config: &Config) -> Option<Self> {
        let from = config.mail.from.clone()?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.mail.smtp_url.as_deref()?).ok()?;
        Some(Self { transport: transport.timeout(Some(PATIENCE)), from, url: config.web.url() })
    }

    /// Mails a one-time password. When this returns, the server has accepted the mail.
    pub async fn one_time_password(&self, name: &str, email: &str, password: &str) -> Result<(), MailError> {
        let to: Address = email.parse().map_err(|_| MailError::Address(email.to_owned()))?;
        let text = format!(
            "Hello {name},\n\n\
             you have an account on Cordboard.\n\n\
             Page: {}\n\
             Account: {email}\n\
             One-time password: {password}\n\n\
             After the first login you choose a password of your own.\n",
            self.url
        );
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(name.to_owned()), to))
            .subject("Your Cordboard account")
            .header(ContentType::TEXT_PLAIN)
            .body(text)?;
        self.transport.clone().build::<Tokio1Executor>().send(message).await?;
        Ok(())
    }
}
