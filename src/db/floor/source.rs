//! A floor file's text, which knows the line of every key.

use super::FloorError;
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

pub(super) struct Source<'i> {
    text: &'i str,
    root: Spanned<DeTable<'i>>,
}

impl<'i> Source<'i> {
    /// The file as far as it is TOML, and what is not.
    pub fn read(text: &'i str) -> (Self, Vec<FloorError>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let source = Self { text, root };
        let errors = errors.iter().map(|error| source.misread(error)).collect();
        (source, errors)
    }

    /// The entries of a table at the root; none when the file has no such table. `each` gets the entry's name and value.
    pub fn entries(&self, section: &'static str, errors: &mut Vec<FloorError>) -> Vec<(String, Spanned<DeValue<'i>>)> {
        let Some((key, value)) = self.root.get_ref().iter().find(|(key, _)| key.get_ref() == section) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Table(table) => table.iter().map(|(name, value)| (name.get_ref().to_string(), value.clone())).collect(),
            DeValue::Array(_)
            | DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {
                errors.push(self.error_at(key.span(), section.to_owned(), format!("expected tables such as [{section}.Name]")));
                Vec::new()
            }
        }
    }

    pub fn root(&self) -> &DeTable<'i> {
        self.root.get_ref()
    }

    /// Turns one value into its type; a mistake in it becomes an error with its line and key.
    pub fn value<T: Deserialize<'i>>(&self, path: &str, value: &Spanned<DeValue<'i>>, errors: &mut Vec<FloorError>) -> Option<T> {
        match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(value) => Some(value),
            Err(error) => {
                let mut key = vec![path.to_owned()];
                if let (DeValue::Table(table), Some(at)) = (value.get_ref(), error.span()) {
                    key.extend(way_to(table, at.start).unwrap_or_default());
                }
                let span = error.span().unwrap_or_else(|| value.span());
                errors.push(self.error_at(span, key.join("."), error.message().to_owned()));
                None
            }
        }
    }

    /// The error of the value at `path` (from the root), or of the nearest table around it when the key is not there.
    pub fn error(&self, path: &[&str], message: String) -> FloorError {
        FloorError { line: self.line(path), key: path.join("."), message }
    }

    /// The line of the key at `path`.
    pub fn line(&self, path: &[&str]) -> usize {
        let mut span = 0..0;
        let mut here: Option<&DeValue<'i>> = None;
        for name in path {
            let table = match here {
                None => Some(self.root.get_ref()),
                Some(DeValue::Table(table)) => Some(table),
                Some(_) => None,
            };
            if let Some((key, value)) = table.and_then(|table| table.iter().find(|(key, _)| key.get_ref() == name)) {
                (span, here) = (key.span(), Some(value.get_ref()));
                continue;
            }
            let (Some(DeValue::Array(items)), Ok(index)) = (here, name.parse::<usize>()) else { break };
            let Some(item) = items.get(index) else { break };
            (span, here) = (item.span(), Some(item.get_ref()));
        }
        self.line_at(span.start)
    }

    pub fn error_at(&self, span: Range<usize>, key: String, message: String) -> FloorError {
        FloorError { line: self.line_at(span.start), key, message }
    }

    fn misread(&self, error: &toml::de::Error) -> FloorError {
        let span = error.span().unwrap_or(0..0);
        let way = way_to(self.root.get_ref(), span.start).unwrap_or_else(|| vec!["file".to_owned()]);
        self.error_at(span, way.join("."), error.message().to_owned())
    }

    fn line_at(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }
}

/// The keys that lead to the offset inside a table. A table's own span is only its header, so all of them are looked into.
fn way_to(table: &DeTable<'_>, offset: usize) -> Option<Vec<String>> {
    table.iter().find_map(|(name, value)| {
        let inside = match value.get_ref() {
            DeValue::Table(table) => way_to(table, offset),
            DeValue::Array(_)
            | DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        let here = name.span().contains(&offset) || value.span().contains(&offset);
        let mut way = inside.or_else(|| here.then(Vec::new))?;
        way.insert(0, name.get_ref().to_string());
        Some(way)
    })
}
