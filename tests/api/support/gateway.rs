//! An SMS gateway that keeps what it is sent, or answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Sent {
    /// `POST /send HTTP/1.1`.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Sent {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The six digits in it.
    pub fn code(&self) -> String {
        let digits = self.body.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6);
        digits.unwrap_or_else(|| panic!("no code in {}", self.body)).to_owned()
    }
}

#[derive(Clone)]
pub struct Gateway {
    pub addr: SocketAddr,
    answer: Arc<Mutex<(u16, &'static str)>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Gateway {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gateway = Self { addr: listener.local_addr().unwrap(), answer: Arc::new(Mutex::new((200, "ok"))), sent: Arc::default() };
        let own = gateway.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let own = own.clone();
                std::thread::spawn(move || own.serve(stream.unwrap()));
            }
        });
        gateway
    }

    pub fn url(&self) -> String {
        format!("http://{}/send", self.addr)
    }

    /// Answers like this from now on.
    pub fn answers(&self, status: u16, body: &'static str) {
        *self.answer.lock().unwrap() = (status, body);
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// The code in the last message.
    pub fn code(&self) -> String {
        self.sent().last().expect("a message was sent").code()
    }

    /// One request a connection.
    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut lines = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
        let Some(line) = lines.next() else { return };
        let headers: Vec<(String, String)> =
            lines.filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()))).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let (status, answer) = *self.answer.lock().unwrap();
        self.sent.lock().unwrap().push(Sent { line, headers, body: String::from_utf8(body).unwrap() });
        let head = format!("HTTP/1.1 {status} told\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
        stream.write_all((head + answer).as_bytes()).unwrap_or_default();
    }
}
