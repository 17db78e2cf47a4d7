//! What can go wrong with the database.

/// A failure of the database layer.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("the database URL has an unknown scheme; expected sqlite:PATH or postgres://…")]
    Url,
    /// No connection to be had: the server is down, the file cannot be opened.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    #[error("the database's tables could not be brought up to date: {0}")]
    Migration(String),
    #[error(transparent)]
    Query(#[from] diesel::result::Error),
    /// A row holds what this program did not write.
    #[error("{table}: {value:?} is not a value for {column}")]
    Corrupt { table: &'static str, column: &'static str, value: String },
}

impl DbError {
    /// Whether the same request may succeed when the database is back.
    pub fn is_unreachable(&self) -> bool {
        use diesel::result::{DatabaseErrorKind::ClosedConnection, Error::DatabaseError};
        match self {
            Self::Unreachable(_) => true,
            Self::Query(DatabaseError(kind, _)) => matches!(kind, ClosedConnection),
            Self::Query(_) | Self::Url | Self::Migration(_) | Self::Corrupt { .. } => false,
        }
    }
}
