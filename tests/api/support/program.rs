//! The program itself.

use super::Database;
use std::path::Path;
use std::process::{Command, Output};

pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `cordboard` with these arguments and environment until it ends.
pub fn cordboard(data: &Path, args: &[&str], environment: &[(&str, &str)]) -> Ended {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_cordboard"))
        .arg("--data")
        .arg(data)
        .args(args)
        .envs(environment.iter().copied())
        .env_remove("CORDBOARD_CONFIG")
        .output()
        .unwrap();
    Ended { code: status.code().unwrap(), out: String::from_utf8(stdout).unwrap(), err: String::from_utf8(stderr).unwrap() }
}

impl Database {
    pub fn cordboard(&self, args: &[&str], environment: &[(&str, &str)]) -> Ended {
        let mut all = vec![("CORDBOARD_DATABASE__URL", self.url.as_str())];
        all.extend(environment);
        cordboard(self.data.path(), args, &all)
    }

    /// Writes a file into the data folder and gives its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.data.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}
