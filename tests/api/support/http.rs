//! A browser's HTTP, as far as the tests need it: one connection a request, cookies kept, the Origin named.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The status, and the code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap().to_owned())
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }
}

/// Sends one request over an open connection and reads the answer to its end.
pub fn exchange(
    mut stream: impl Read + Write,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) -> Answer {
    let body = body.as_ref();
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    // A body that is refused early is not read to its end.
    stream.write_all(body).unwrap_or_default();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap_or_default();
    Answer::parse(&answer)
}

/// A browser with the switch's page open.
#[derive(Clone)]
pub struct Page {
    addr: SocketAddr,
    pub cookie: Option<String>,
}

impl Page {
    pub fn of(addr: SocketAddr) -> Self {
        Self { addr, cookie: None }
    }

    /// A request with these headers and nothing of a browser's own.
    pub fn bare(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        exchange(TcpStream::connect(self.addr).unwrap(), &self.addr.to_string(), method, path, headers, body)
    }

    fn cookies(&self) -> String {
        self.cookie.as_ref().map(|token| format!("cordboard={token}")).unwrap_or_default()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let cookies = self.cookies();
        let mut all = vec![("Cookie", cookies.as_str())];
        all.extend(headers);
        self.bare("GET", path, &all, "")
    }

    /// Posts JSON from the switch's own page.
    pub fn post(&mut self, path: &str, body: &Value) -> Answer {
        let origin = format!("http://{}", self.addr);
        self.post_from(&origin, path, body)
    }

    /// Posts JSON from a page of this origin.
    pub fn post_from(&mut self, origin: &str, path: &str, body: &Value) -> Answer {
        let cookies = self.cookies();
        let headers = [("Cookie", cookies.as_str()), ("Origin", origin), ("Content-Type", "application/json")];
        let answer = self.bare("POST", path, &headers, &body.to_string());
        if let Some(set) = answer.header("Set-Cookie") {
            let token = set.split(';').next().unwrap().strip_prefix("cordboard=").unwrap();
            self.cookie = (!token.is_empty()).then(|| token.to_owned());
        }
        answer
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.own("PUT", path, &body.to_string())
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.own("DELETE", path, "")
    }

    /// A change from the switch's own page.
    fn own(&self, method: &str, path: &str, body: &str) -> Answer {
        let (origin, cookies) = (format!("http://{}", self.addr), self.cookies());
        self.bare(method, path, &[("Cookie", &cookies), ("Origin", &origin), ("Content-Type", "application/json")], body)
    }

    /// Posts bytes from the switch's own page.
    pub fn upload(&self, path: &str, body: &[u8]) -> Answer {
        let (origin, cookies) = (format!("http://{}", self.addr), self.cookies());
        let headers = [("Cookie", cookies.as_str()), ("Origin", &origin), ("Content-Type", "application/octet-stream")];
        exchange(TcpStream::connect(self.addr).unwrap(), &self.addr.to_string(), "POST", path, &headers, body)
    }

    pub fn log_in(&mut self, email: &str, password: &str) -> Answer {
        self.post("/api/v1/login", &serde_json::json!({ "email": email, "password": password }))
    }
}
