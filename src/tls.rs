//! TLS of the pages (F7) and of SIP (I5): a given certificate, or one of our own made at the first start and kept in the data folder.

use crate::config::{Config, Tls};
use crate::net;
use parking_lot::Mutex;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum TlsError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{}: not an authority's certificate: {source}", path.display())]
    Authority { path: PathBuf, source: rustls::Error },
    #[error("{}: holds no certificate", path.display())]
    NoAuthority { path: PathBuf },
    #[error("{}: not PEM: {source}", path.display())]
    Pem { path: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("{} and {} do not go together: {source}", cert.display(), key.display())]
    Pair { cert: PathBuf, key: PathBuf, source: rustls::Error },
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// The pages' side of TLS, or none where the configuration says `off`.
pub fn server_config(config: &Config, data: &Path) -> Result<Option<ServerConfig>, TlsError> {
    if config.web.tls == Tls::Off {
        return Ok(None);
    }
    server(config, data).map(Some)
}

/// TLS for SIP, or none where the configuration says `off`. The certificate is the pages'; ours where they have none.
pub fn sip(config: &Config, data: &Path) -> Result<Option<net::Tls>, TlsError> {
    let Some(listen) = config.sip.tls else { return Ok(None) };
    let mut roots = RootCertStore::empty();
    match &config.sip.tls_trust {
        Some(path) => {
            for authority in chain(path)? {
                roots.add(authority).map_err(|source| TlsError::Authority { path: path.clone(), source })?;
            }
            if roots.is_empty() {
                return Err(TlsError::NoAuthority { path: path.clone() });
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(net::Tls { listen, server: Arc::new(server(config, data)?), client: Arc::new(client) }))
}

fn pem(path: &Path) -> impl FnOnce(rustls::pki_types::pem::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::Pem { path, source }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(pem(path))
}

fn server(config: &Config, data: &Path) -> Result<ServerConfig, TlsError> {
    let (cert, key) = match &config.web.tls {
        Tls::Files { cert, key } => (cert.clone(), key.clone()),
        Tls::SelfMade | Tls::Off => self_made(config, &data.join("tls"))?,
    };
    let certificate = Renewable::read(cert, key)?;
    Ok(ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificate)))
}

/// A certificate that is read again when its files have changed, so that who renews it restarts nothing (I5).
#[derive(Debug)]
struct Renewable {
    cert: PathBuf,
    key: PathBuf,
    now: Mutex<(Changed, Arc<CertifiedKey>)>,
}

/// When the two files were last written.
type Changed = [Option<SystemTime>; 2];

impl Renewable {
    fn read(cert: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let now = Mutex::new((changed(&cert, &key), Arc::new(pair(&cert, &key)?)));
        Ok(Self { cert, key, now })
    }

    /// What the files hold; while that makes no sense, as between the writing of one and the other, what they held before.
    fn current(&self) -> Arc<CertifiedKey> {
        let changed = changed(&self.cert, &self.key);
        let mut now = self.now.lock();
        if now.0 != changed {
            now.0 = changed;
            match pair(&self.cert, &self.key) {
                Ok(renewed) => {
                    tracing::info!(file = %self.cert.display(), "the certificate was renewed");
                    now.1 = Arc::new(renewed);
                }
                Err(why) => tracing::error!(%why, "the changed certificate is not used; the one before it stays"),
            }
        }
        now.1.clone()
    }
}

impl ResolvesServerCert for Renewable {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn changed(cert: &Path, key: &Path) -> Changed {
    [cert, key].map(|path| fs::metadata(path).and_then(|file| file.modified()).ok())
}

fn pair(cert: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let private = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
    CertifiedKey::from_der(chain(cert)?, private, &ring::default_provider()).map_err(|source| TlsError::Pair {
        cert: cert.to_owned(),
        key: key.to_owned(),
        source,
    })
}

/// Where the certificate and its key lie; made when they are not there yet, for the names under which people and phones may come.
fn self_made(config: &Config, folder: &Path) -> Result<(PathBuf, PathBuf), TlsError> {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    if cert.exists() && key.exists() {
        return Ok((cert, key));
    }
    let mut names = vec!["localhost".to_owned()];
    names.extend(config.web.listen.iter().chain(&config.sip.tls).map(|address| address.ip().to_string()));
    names.extend(config.sip.advertise.map(|ip| ip.to_string()));
    names.extend(config.web.public_url.as_deref().and_then(host_of));
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Cordboard");
    let pair = KeyPair::generate()?;
    let certificate = params.self_signed(&pair)?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::File { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    // The certificate last: with it there, both are.
    write_private(&key, &pair.serialize_pem()).map_err(failed(&key))?;
    fs::write(&cert, certificate.pem()).map_err(failed(&cert))?;
    Ok((cert, key))
}

fn host_of(url: &str) -> Option<String> {
    let authority = url.split_once("://")?.1;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => authority.split(':').next()?,
    };
    Some(host.to_owned())
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn with(tls: Tls) -> Config {
        let mut config = Config::default();
        config.web.tls = tls;
        config.web.public_url = Some("https://calls.example.com:8443".to_owned());
        config
    }

    #[test]
    fn a_certificate_is_made_at_the_first_start_and_kept() {
        let data = tempfile::tempdir().unwrap();
        assert!(server_config(&with(Tls::SelfMade), data.path()).unwrap().is_some());
        let key = data.path().join("tls/key.pem");
        let first = fs::read(&key).unwrap();
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(server_config(&with(Tls::SelfMade), data.path()).unwrap().is_some());
        assert_eq!(fs::read(&key).unwrap(), first);
    }

    #[test]
    fn a_given_certificate_is_used_and_a_wrong_one_refused_by_its_name() {
        let data = tempfile::tempdir().unwrap();
        let (cert, key) = self_made(&Config::default(), &data.path().join("given")).unwrap();
        let given = Tls::Files { cert: cert.clone(), key };
        assert!(server_config(&with(given), data.path()).unwrap().is_some());
        let error = server_config(&with(Tls::Files { cert: cert.clone(), key: cert }), data.path()).unwrap_err().to_string();
        assert!(error.contains("cert.pem"), "{error}");
    }

    #[test]
    fn without_tls_there_is_nothing_to_configure() {
        let mut config = with(Tls::Off);
        config.sip.tls = None;
        assert!(server_config(&config, Path::new("/nowhere")).unwrap().is_none());
        assert!(sip(&config, Path::new("/nowhere")).unwrap().is_none());
    }

    #[test]
    fn a_certificate_is_renewed_without_a_restart_when_both_files_fit() {
        let data = tempfile::tempdir().unwrap();
        let make = |name: &str| self_made(&Config::default(), &data.path().join(name)).unwrap();
        let ((cert, key), (new_cert, new_key)) = (make("old"), make("new"));
        let renewable = Renewable::read(cert.clone(), key.clone()).unwrap();
        let shown = || renewable.current().cert.first().unwrap().to_vec();
        let old = shown();
        let write = |from: &Path, to: &Path, later| {
            fs::copy(from, to).unwrap();
            // Whatever the clock of the file system tells apart.
            fs::File::options().write(true).open(to).unwrap().set_modified(SystemTime::now() + Duration::from_secs(later)).unwrap();
        };
        write(&new_cert, &cert, 1);
        assert_eq!(shown(), old, "the new certificate and the old key");
        write(&new_key, &key, 1);
        let new = shown();
        assert_ne!(new, old);
        write(&new_key, &cert, 2);
        assert_eq!(shown(), new, "no certificate at all");
    }

    #[test]
    fn sip_has_a_certificate_where_the_pages_have_none() {
        let data = tempfile::tempdir().unwrap();
        let config = with(Tls::Off);
        assert_eq!(sip(&config, data.path()).unwrap().unwrap().listen, config.sip.tls.unwrap());
        assert!(data.path().join("tls/cert.pem").exists());
    }

    #[test]
    fn a_file_of_authorities_that_holds_none_is_refused_by_its_name() {
        let data = tempfile::tempdir().unwrap();
        let mut config = with(Tls::Off);
        let (cert, key) = self_made(&config, data.path()).unwrap();
        config.sip.tls_trust = Some(cert);
        assert!(sip(&config, data.path()).is_ok());
        config.sip.tls_trust = Some(key);
        let error = sip(&config, data.path()).map(drop).unwrap_err().to_string();
        assert!(error.contains("key.pem"), "{error}");
    }
}
