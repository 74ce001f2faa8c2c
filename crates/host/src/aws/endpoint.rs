//! The address of the stand-in for AWS. Only this machine's own, unless the user says otherwise: a function under test must not
//! reach a real account by accident.

use std::net::{SocketAddr, ToSocketAddrs as _};

/// Where AWS is, for the functions here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    address: SocketAddr,
    authority: String,
}

/// Why a URL is no endpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EndpointError {
    /// Not `http://host:port`.
    #[error("`{0}` is not an endpoint: write it as http://127.0.0.1:5000")]
    Malformed(String),
    /// The name has no address.
    #[error("`{0}` has no address")]
    Unknown(String),
    /// Not this machine.
    #[error("`{0}` is not on this machine, and functions should not reach a real cloud by accident")]
    Remote(String),
}

impl Endpoint {
    /// Reads an `http://` URL. With `allow_remote`, it may be on another machine.
    ///
    /// # Errors
    /// When it can't be read, has no address, or is elsewhere.
    pub fn parse(url: &str, allow_remote: bool) -> Result<Self, EndpointError> {
        let malformed = || EndpointError::Malformed(url.to_owned());
        let authority = url.trim().strip_prefix("http://").ok_or_else(malformed)?.trim_end_matches('/');
        if authority.is_empty() || authority.contains(['/', '@', '?', '#', ' ']) {
            return Err(malformed());
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let with_port = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let addresses: Vec<SocketAddr> =
            with_port.to_socket_addrs().map_err(|_| EndpointError::Unknown(authority.to_owned()))?.collect();
        // The address that was checked is the one that is used: a name can't change its mind in between.
        let address =
            if allow_remote { addresses.first() } else { addresses.iter().find(|address| address.ip().is_loopback()) };
        match address {
            Some(address) => Ok(Self { address: *address, authority: authority.to_owned() }),
            None if addresses.is_empty() => Err(EndpointError::Unknown(authority.to_owned())),
            None => Err(EndpointError::Remote(authority.to_owned())),
        }
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `host:port` as it was written.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The URL, without a final slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_unless_said_otherwise() {
        assert_eq!(Endpoint::parse("http://127.0.0.1:5000/", false).unwrap().url(), "http://127.0.0.1:5000");
        assert_eq!(Endpoint::parse("http://[::1]:5000", false).unwrap().address().port(), 5000);
        assert!(matches!(Endpoint::parse("http://192.0.2.1:80", false), Err(EndpointError::Remote(_))));
        assert!(Endpoint::parse("http://192.0.2.1:80", true).is_ok());
        for url in ["https://127.0.0.1:5000", "127.0.0.1:5000", "http://", "http://a@127.0.0.1", "http://127.0.0.1/x"] {
            assert!(matches!(Endpoint::parse(url, true), Err(EndpointError::Malformed(_))), "{url}");
        }
    }
}
