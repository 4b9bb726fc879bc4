//! Object stores: which one a URL means, how its client is made, and what its errors mean to the person who has to act.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::told;
use crate::error::{Error, Result};

/// How often a request to a store in the network is tried again: after 5xx, 408, 429, a broken connection, and after a timeout where doing
/// it twice is as good as once. What was refused (401, 403, 404, 409, 412) is not tried again, nor anything on a local disk.
pub(super) const RETRIES_MAX: usize = 8;
/// How long after the first attempt a request may be tried again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(150);
/// How long one request may take.
const REQUEST_TIMEOUT: &str = "120 seconds";
/// The first pause; each further one is random between this and [`PAUSE_GROWTH`] times the one before, at most [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_GROWTH: f64 = 3.0;
const PAUSE_MAX: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Local,
    S3,
    Gcs,
    Azure,
}

/// A URL or path, understood but not opened.
#[derive(Debug)]
pub(super) struct Target {
    kind: Kind,
    /// Scheme and authority: what one client serves.
    pub(super) bucket: String,
    pub(super) path: StorePath,
    pub(super) display: String,
    pub(super) local: Option<PathBuf>,
}

impl Target {
    /// Understands `text`; a relative path stands against `base`.
    pub(super) fn parse(text: &str, base: &Path) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::config("a location is empty").hint("give a folder or a URL like s3://bucket/path"));
        }
        match text.split_once("://") {
            None => Self::local(Path::new(text), text, base),
            Some(("file", rest)) => {
                let url = url::Url::parse(text).map_err(|error| Error::config("a file URL is not understood").because(error))?;
                let path = url.to_file_path().map_err(|()| {
                    Error::config("a file URL does not name a local path")
                        .with("url", format!("file://{rest}"))
                        .hint("write file:///absolute/path")
                })?;
                Self::local(&path, text, base)
            }
            Some((scheme, rest)) => Self::remote(scheme, rest),
        }
    }

    fn local(path: &Path, display: &str, base: &Path) -> Result<Self> {
        let absolute = std::path::absolute(base.join(path))
            .map_err(|error| Error::config("a path cannot be made absolute").with("path", display).because(error))?;
        let absolute = without_dots(&absolute);
        let path = StorePath::from_absolute_path(&absolute)
            .map_err(|error| Error::config("a path is not usable").with("path", display).because(error))?;
        Ok(Self {
            kind: Kind::Local,
            bucket: "file://".to_owned(),
            path,
            display: display.to_owned(),
            local: Some(absolute),
        })
    }

    fn remote(scheme: &str, rest: &str) -> Result<Self> {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, host)| (Some(user), host));
        let shown = format!("{scheme}://{host}/{path}");
        let (kind, scheme) = match scheme {
            "s3" | "s3a" => (Kind::S3, "s3"),
            "gs" | "gcs" => (Kind::Gcs, "gs"),
            "az" | "azure" | "adl" | "abfs" | "abfss" => (Kind::Azure, scheme),
            _ => {
                return Err(Error::config("a URL has a scheme that is not understood")
                    .with("url", shown)
                    .hint("use a local path, file://, s3://, gs://, az:// or abfss://; a server of your own is set by AWS_ENDPOINT_URL"));
            }
        };
        let is_container = kind == Kind::Azure && user.is_some_and(|user| !user.contains(':'));
        if user.is_some() && !is_container {
            return Err(Error::config("a URL holds credentials")
                .with("url", shown)
                .hint("give them in the environment (AWS_ACCESS_KEY_ID, GOOGLE_SERVICE_ACCOUNT, AZURE_STORAGE_ACCOUNT_KEY …)"));
        }
        if host.is_empty() {
            return Err(Error::config("a URL names no bucket").with("url", shown));
        }
        let path = StorePath::parse(path.trim_end_matches('/'))
            .map_err(|error| Error::config("a URL has an unusable path").with("url", shown).because(error))?;
        Ok(Self {
            kind,
            bucket: format!("{scheme}://{authority}"),
            display: format!("{scheme}://{authority}/{path}"),
            path,
            local: None,
        })
    }

    /// Makes the client. No request is sent.
    pub(super) fn open(&self, retries_max: usize) -> Result<Arc<dyn ObjectStore>> {
        // `from_env` reads AWS_ALLOW_HTTP and its kin too: plain http works only where it was asked for.
        let timeout = ClientConfigKey::Timeout;
        let opened: object_store::Result<Arc<dyn ObjectStore>> = match self.kind {
            Kind::Local => Ok(Arc::new(LocalFileSystem::new())),
            Kind::S3 => AmazonS3Builder::from_env()
                .with_config(AmazonS3ConfigKey::Client(timeout), request_timeout("AWS_TIMEOUT"))
                .with_retry(retry(retries_max))
                .with_url(&self.bucket)
                .build()
                .map(|store| Arc::new(store) as _),
            Kind::Gcs => GoogleCloudStorageBuilder::from_env()
                .with_config(GoogleConfigKey::Client(timeout), request_timeout("GOOGLE_TIMEOUT"))
                .with_retry(retry(retries_max))
                .with_url(&self.bucket)
                .build()
                .map(|store| Arc::new(store) as _),
            Kind::Azure => MicrosoftAzureBuilder::from_env()
                .with_config(AzureConfigKey::Client(timeout), request_timeout("AZURE_TIMEOUT"))
                .with_retry(retry(retries_max))
                .with_url(&self.bucket)
                .build()
                .map(|store| Arc::new(store) as _),
        };
        opened.map_err(|error| {
            Error::environment("the client of an object store cannot be made")
                .with("location", &self.display)
                .because(told::told(&error))
                .hint(credentials_hint(&self.display))
        })
    }
}

/// The environment's timeout, or one that lets a part of a large file pass a slow line.
fn request_timeout(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| REQUEST_TIMEOUT.to_owned())
}

fn retry(retries_max: usize) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: PAUSE_FIRST,
            max_backoff: PAUSE_MAX,
            base: PAUSE_GROWTH,
        },
        max_retries: retries_max,
        retry_timeout: RETRY_TIMEOUT,
    }
}

/// `a/../b/./c` as `b/c`, without asking the disk (the folder may not exist yet).
fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

/// What a missing object means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFound {
    /// An input: the data has to come first.
    IsInput,
    /// A file of ours: the store lost it.
    IsEnvironment,
}

/// A store's error in our terms. `action` is a verb with its object ("read a file"), `path` where, without credentials.
#[must_use]
pub fn store_error(error: object_store::Error, action: &str, path: &str, not_found: NotFound) -> Error {
    use object_store::Error as Store;
    let message = |what: &str| format!("cannot {action}: {what}");
    let mapped = match &error {
        Store::NotFound { .. } if not_found == NotFound::IsInput => {
            Error::input(message("not found")).hint("check that the export has arrived and that the path is right")
        }
        Store::NotFound { .. } => {
            Error::environment(message("not found")).hint("check that the bucket or folder exists and that nobody deleted files in it")
        }
        Store::PermissionDenied { .. } => {
            Error::environment(message("permission denied")).hint("give this identity the right to list, read, write and delete there")
        }
        Store::Unauthenticated { .. } => Error::environment(message("not signed in")).hint(credentials_hint(path)),
        Store::AlreadyExists { .. } | Store::Precondition { .. } => {
            Error::conflict(message("somebody else wrote it first")).hint("run again: it starts from the newest version")
        }
        Store::NotImplemented { .. } | Store::NotSupported { .. } => {
            Error::environment(message("the store does not support it")).hint("use a store with conditional writes (If-None-Match)")
        }
        _ if told::code(&error).is_some_and(|code| EXPIRED.contains(&code.as_str())) => {
            Error::environment(message("the credentials have expired or are not valid")).hint(credentials_hint(path))
        }
        _ => from_cause(&error, &message),
    };
    mapped.with("path", path).because(told::told(&error))
}

/// Codes with which S3 refuses credentials and answers 400, not 401.
const EXPIRED: [&str; 5] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidToken",
    "RequestExpired",
    "TokenRefreshRequired",
];

/// Looks for an operating system's error in the chain of causes: of the disk, or of the network below a client.
fn from_cause(error: &object_store::Error, message: &dyn Fn(&str) -> String) -> Error {
    let is_disk = matches!(
        error,
        object_store::Error::Generic {
            store: "LocalFileSystem",
            ..
        }
    );
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return match io.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
                    Error::environment(message("the disk is full")).hint("free some space; nothing was published")
                }
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    Error::environment(message("permission denied")).hint("let this user read and write there")
                }
                std::io::ErrorKind::NotFound => Error::environment(message("not found")),
                std::io::ErrorKind::ConnectionRefused
                | std::io::ErrorKind::ConnectionReset
                | std::io::ErrorKind::ConnectionAborted
                | std::io::ErrorKind::HostUnreachable
                | std::io::ErrorKind::NetworkUnreachable
                | std::io::ErrorKind::TimedOut
                | std::io::ErrorKind::BrokenPipe
                | std::io::ErrorKind::UnexpectedEof => no_answer(message),
                _ if !is_disk => no_answer(message),
                _ => Error::environment(message("the disk failed")),
            };
        }
        cause = inner.source();
    }
    no_answer(message)
}

fn no_answer(message: &dyn Fn(&str) -> String) -> Error {
    Error::environment(message("the store failed")).hint("check network, endpoint, region and bucket; a retry may help")
}

fn credentials_hint(path: &str) -> &'static str {
    match path.split_once("://").map(|(scheme, _)| scheme) {
        Some("s3") => {
            "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or run where a role is attached; AWS_ENDPOINT_URL for other servers, with AWS_ALLOW_HTTP=true for plain http"
        }
        Some("gs") => "set GOOGLE_SERVICE_ACCOUNT to the key file, or run where a service account is attached",
        Some("az" | "azure" | "adl" | "abfs" | "abfss") => {
            "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or run where a managed identity is attached"
        }
        _ => "check the rights of this user",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Target> {
        Target::parse(text, Path::new("/base/project"))
    }

    #[test]
    fn every_scheme_finds_its_store_and_path() {
        for (text, kind, bucket, path) in [
            ("data/in", Kind::Local, "file://", "base/project/data/in"),
            ("../out/", Kind::Local, "file://", "base/out"),
            ("/a/./b", Kind::Local, "file://", "a/b"),
            ("file:///a/b%20c", Kind::Local, "file://", "a/b c"),
            ("s3://bucket/a/b/", Kind::S3, "s3://bucket", "a/b"),
            ("s3a://bucket", Kind::S3, "s3://bucket", ""),
            ("gcs://bucket/ä", Kind::Gcs, "gs://bucket", "ä"),
            ("az://box/a", Kind::Azure, "az://box", "a"),
            (
                "abfss://box@acc.dfs.core.windows.net/a",
                Kind::Azure,
                "abfss://box@acc.dfs.core.windows.net",
                "a",
            ),
        ] {
            let target = parse(text).expect(text);
            assert_eq!(
                (target.kind, target.bucket.as_str(), target.path.as_ref()),
                (kind, bucket, path),
                "{text}"
            );
        }
    }

    #[test]
    fn credentials_in_a_url_are_refused_and_not_shown() {
        for text in [
            "s3://key:geheim@bucket/p",
            "s3://geheim@bucket",
            "abfss://u:geheim@acc.dfs.core.windows.net/p",
            "http://u:geheim@host/x",
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.kind(), crate::ErrorKind::Config);
            assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
        }
    }

    #[test]
    fn a_full_disk_and_a_missing_right_are_named() {
        let full = object_store::Error::Generic {
            store: "x",
            source: std::io::Error::from(std::io::ErrorKind::StorageFull).into(),
        };
        assert!(
            store_error(full, "write a file", "/w", NotFound::IsEnvironment)
                .message()
                .contains("disk is full")
        );
        let denied = object_store::Error::Unauthenticated {
            path: "p".into(),
            source: "no".into(),
        };
        let error = store_error(denied, "read a file", "s3://b/p", NotFound::IsInput);
        assert_eq!(error.kind(), crate::ErrorKind::Environment);
        assert!(error.hint_text().is_some_and(|hint| hint.contains("AWS_ACCESS_KEY_ID")));
    }
}
