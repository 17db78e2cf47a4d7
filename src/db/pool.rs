//! Connections to SQLite or PostgreSQL: the one place that knows both.

use crate::error::DbError;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;
use diesel::result::{DatabaseErrorKind, Error};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::sync::Arc;
use std::time::Duration;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Of one SQLite file only one connection writes at a time; the others read meanwhile.
const CONNECTIONS: u32 = 8;
/// How long a request waits for a connection before the database counts as away.
const PATIENCE: Duration = Duration::from_secs(5);
/// PostgreSQL refuses one of two transactions that disturb each other; it is tried again.
const TRIES: u32 = 50;

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Statements that diesel builds per database (batches, upserts): the same expression for each.
macro_rules! on_each {
    ($connection:expr, $c:ident => $statement:expr) => {
        match $connection {
            $crate::pool::AnyConnection::Sqlite($c) => $statement,
            $crate::pool::AnyConnection::Postgres($c) => $statement,
        }
    };
}

/// Where connections come from.
#[derive(Debug)]
enum Source {
    Sqlite(String),
    Postgres(String),
}

impl Source {
    fn parse(url: &str) -> Result<Self, DbError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        match url.strip_prefix("sqlite:") {
            Some(path) => Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).to_owned())),
            None if url.contains("://") || url.is_empty() => Err(DbError::Url),
            None => Ok(Self::Sqlite(url.to_owned())),
        }
    }
}

impl r2d2::ManageConnection for Source {
    type Connection = AnyConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, Self::Error> {
        use diesel::r2d2::Error::{ConnectionError, QueryError};
        match self {
            Self::Sqlite(path) => {
                let mut connection = SqliteConnection::establish(path).map_err(ConnectionError)?;
                // The system has the file in memory already; each connection's own copy of it may take 512 KiB.
                connection
                    .batch_execute("PRAGMA cache_size=-512; PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;")
                    .map_err(QueryError)?;
                Ok(AnyConnection::Sqlite(connection))
            }
            Self::Postgres(url) => PgConnection::establish(url).map(AnyConnection::Postgres).map_err(ConnectionError),
        }
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Self::Error> {
        on_each!(connection, c => c.ping()).map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || on_each!(connection, c => R2D2Connection::is_broken(c))
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Arc<r2d2::Pool<Source>>,
}

impl Db {
    /// Opens `sqlite:PATH`, a bare path, or `postgres://…`, and brings its tables up to date.
    pub fn open(url: &str) -> Result<Self, DbError> {
        let source = Source::parse(url)?;
        r2d2::ManageConnection::connect(&source).map_err(|error| DbError::Unreachable(error.to_string()))?;
        let pool = r2d2::Pool::builder()
            .max_size(CONNECTIONS)
            .min_idle(Some(1))
            .connection_timeout(PATIENCE)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build(source)
            .map_err(|error| DbError::Unreachable(error.to_string()))?;
        let db = Self { pool: Arc::new(pool) };
        let mut connection = db.connection()?;
        match &mut *connection {
            AnyConnection::Sqlite(c) => c.run_pending_migrations(SQLITE).map(drop),
            AnyConnection::Postgres(c) => c.run_pending_migrations(POSTGRES).map(drop),
        }
        .map_err(|error| DbError::Migration(error.to_string()))?;
        drop(connection);
        Ok(db)
    }

    /// Whether the database answers; waits up to five seconds for it.
    pub fn ping(&self) -> Result<(), DbError> {
        // The pool asks the database before it gives a connection away.
        self.connection().map(drop)
    }

    fn connection(&self) -> Result<r2d2::PooledConnection<Source>, DbError> {
        self.pool.get().map_err(|error| DbError::Unreachable(error.to_string()))
    }

    /// Runs single statements, each its own transaction.
    pub(crate) fn run<T>(&self, work: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>) -> Result<T, DbError> {
        work(&mut *self.connection()?)
    }

    /// Runs `work` as one transaction as if it were alone: SQLite takes the write lock at its beginning (a lock taken later may be
    /// refused), PostgreSQL runs it serializable, which may take several tries.
    pub(crate) fn transaction<T>(&self, mut work: impl FnMut(&mut AnyConnection) -> Result<T, DbError>) -> Result<T, DbError> {
        let mut connection = self.connection()?;
        let mut tries = 0;
        loop {
            tries += 1;
            match attempt(&mut connection, &mut work) {
                Err(DbError::Query(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _))) if tries < TRIES => {}
                result => return result,
            }
        }
    }
}

fn attempt<T>(connection: &mut AnyConnection, work: &mut impl FnMut(&mut AnyConnection) -> Result<T, DbError>) -> Result<T, DbError> {
    match connection {
        AnyConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?,
        AnyConnection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL SERIALIZABLE")?,
    }
    let result = work(connection);
    match result {
        Ok(value) => {
            on_each!(connection, c => AnsiTransactionManager::commit_transaction(c))?;
            Ok(value)
        }
        Err(error) => {
            // A rollback that fails leaves a broken connection, which the pool throws away; the first error is the one to tell.
            on_each!(connection, c => AnsiTransactionManager::rollback_transaction(c)).unwrap_or_default();
            Err(error)
        }
    }
}
