//! Redirects, proxies and private CAs.

use isolated_nats_server_binary::{Acquire, Source, StepErrorKind};

use crate::support::{
    Scratch, UNKNOWN, acquire,
    archives::{release, sha256},
    assert_nothing_left,
    server::{HttpServer, Reply, archive_path},
    step,
};

fn wanted(scratch: &Scratch, archive: &[u8]) -> Acquire {
    acquire(scratch).version(UNKNOWN).sha256(sha256(archive)).sources([Source::Mirror])
}

// GitHub answers with a redirect to another host.
#[test]
fn redirects_are_followed_absolute_and_relative() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let assets = HttpServer::new([
        ("/a/first".to_owned(), Reply::Redirect("second?x=y".to_owned())),
        ("/a/second?x=y".to_owned(), Reply::Body(archive.clone())),
    ]);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Redirect(format!("{}/a/first", assets.url())));
    let binary = wanted(&scratch, &archive).mirror(server.url()).run().unwrap();
    assert_eq!(binary.place, Some(format!("{}/a/second?x=y", assets.url())));
}

#[test]
fn a_redirect_in_a_circle_ends() {
    let scratch = Scratch::new();
    let server = HttpServer::with_archive(UNKNOWN, Reply::Redirect(archive_path(UNKNOWN)));
    let error = wanted(&scratch, b"").mirror(server.url()).run().unwrap_err();
    let text = step(&error, Source::Mirror).to_string();
    assert!(text.ends_with("cannot be fetched: it is redirected too often"), "{text}");
    assert_eq!(server.requests().len(), 11);
}

#[test]
fn the_proxy_is_used_and_the_exceptions_are_not() {
    let archive = release(UNKNOWN);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive.clone()));
    let proxy = HttpServer::proxy();
    for (exceptions, through) in [("other.test", 1), ("other.test, 127.0.0.1", 0)] {
        let (before, scratch) = (proxy.requests().len(), Scratch::new());
        let acquire = wanted(&scratch, &archive).mirror(server.url());
        acquire.proxies(Some(proxy.url()), None, exceptions).run().unwrap();
        let seen = proxy.requests();
        assert_eq!(seen.len() - before, through, "{exceptions}: {seen:?}");
    }
    assert_eq!(proxy.requests(), [format!("CONNECT {} HTTP/1.1", server.address())]);
}

#[test]
fn a_proxy_that_is_not_there_is_an_error_of_the_network() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive.clone()));
    // A port that was free a moment ago; nobody listens on it, or somebody who is no proxy.
    let gone = HttpServer::new([]).url();
    let error =
        wanted(&scratch, &archive).mirror(server.url()).proxies(Some(gone), None, "").run().unwrap_err();
    assert_eq!(step(&error, Source::Mirror).kind(), StepErrorKind::Network);
    assert_eq!(server.requests(), [""; 0]);
    assert_nothing_left(&scratch);
}

#[cfg(feature = "https")]
mod tls {
    use std::{fs, io::Write, net::TcpStream, sync::Arc};

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

    use super::*;
    use crate::support::server::{head, read_head};

    /// Serves one archive over TLS, and returns the CA that vouches for it, as PEM.
    fn server(archive: Vec<u8>) -> (HttpServer, String) {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        let config = Arc::new(config);
        let server = HttpServer::raw(move |stream: TcpStream| {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            // A client that does not trust us ends here.
            if read_head(&mut stream).is_ok() {
                let _ = stream.write_all(head(200, archive.len(), "").as_bytes());
                let _ = stream.write_all(&archive);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        (server, issuer.pem())
    }

    #[test]
    fn a_private_authority_is_trusted_when_named_and_not_otherwise() {
        let scratch = Scratch::new();
        let archive = release(UNKNOWN);
        let (server, authority) = server(archive.clone());
        let url = format!("https://{}", server.address());
        let file = scratch.join("authority.pem");
        fs::write(&file, authority).unwrap();

        let error = wanted(&scratch, &archive).mirror(&url).run().unwrap_err();
        assert_eq!(step(&error, Source::Mirror).kind(), StepErrorKind::Network);
        assert_nothing_left(&scratch);

        let binary = wanted(&scratch, &archive).mirror(&url).certificate_file(file).run().unwrap();
        assert_eq!(binary.source, Source::Mirror);
    }

    #[test]
    fn a_certificate_file_that_is_not_there_is_named() {
        let scratch = Scratch::new();
        let acquire = wanted(&scratch, b"").mirror("https://127.0.0.1:1").certificate_file("/no/such/ca.pem");
        let error = acquire.run().unwrap_err();
        let text = step(&error, Source::Mirror).to_string();
        assert!(text.contains("/no/such/ca.pem"), "{text}");
    }
}

#[cfg(not(feature = "https"))]
#[test]
fn https_without_the_feature_names_the_feature() {
    let scratch = Scratch::new();
    let error = wanted(&scratch, b"").mirror("https://127.0.0.1:1").run().unwrap_err();
    let text = step(&error, Source::Mirror).to_string();
    assert!(text.contains("turn on the feature `https`"), "{text}");
}
