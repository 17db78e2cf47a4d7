//! A mail server that keeps what it is sent (RFC 5321), or refuses every recipient.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Clone)]
pub struct Smtp {
    pub addr: SocketAddr,
    /// Refuses recipients from now on.
    pub refuses: Arc<AtomicBool>,
    mails: Arc<Mutex<Vec<Mail>>>,
}

#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub text: String,
}

impl Mail {
    /// The password that stands in it.
    pub fn password(&self) -> String {
        let line = self.text.lines().find_map(|line| line.strip_prefix("One-time password: "));
        let line = line.unwrap_or_else(|| panic!("no password in {}", self.text));
        if self.text.contains("Content-Transfer-Encoding: quoted-printable") { unquoted(line) } else { line.to_owned() }
    }
}

/// Quoted-printable ASCII (RFC 2045 section 6.7).
fn unquoted(line: &str) -> String {
    let mut parts = line.split('=');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (code, rest) = part.split_at(2);
        text + char::from(u8::from_str_radix(code, 16).unwrap()).encode_utf8(&mut [0; 4]) + rest
    })
}

impl Smtp {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let smtp = Self { addr: listener.local_addr().unwrap(), refuses: Arc::default(), mails: Arc::default() };
        let own = smtp.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let own = own.clone();
                std::thread::spawn(move || own.serve(stream.unwrap()));
            }
        });
        smtp
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.addr)
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// Ends with the connection.
    fn serve(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).unwrap_or_default();
        let mut mail = Mail { from: String::new(), to: String::new(), text: String::new() };
        say("220 test");
        while let Some(line) = lines.next() {
            match line.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
                "EHLO" | "HELO" => say("250 test"),
                "MAIL" => {
                    mail.from = line;
                    say("250 ok");
                }
                "RCPT" if self.refuses.load(Ordering::SeqCst) => say("550 no such mailbox"),
                "RCPT" => {
                    mail.to = line;
                    say("250 ok");
                }
                "DATA" => {
                    say("354 go on");
                    mail.text = lines.by_ref().take_while(|line| line != ".").collect::<Vec<_>>().join("\n");
                    self.mails.lock().unwrap().push(mail.clone());
                    say("250 kept");
                }
                "QUIT" => return say("221 bye"),
                _ => say("250 ok"),
            }
        }
    }
}
