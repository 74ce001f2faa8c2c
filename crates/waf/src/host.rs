//! Hosts in the many spellings that connect to the same place.
//!
//! Knows numbers and names that lie inside a network; knows no DNS, so a public name that resolves to a private address
//! is beyond it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A metadata service, which hands out credentials.
    Metadata,
    /// This machine, or an address of a private network.
    Internal,
    /// A public address in a spelling nobody uses who has nothing to hide.
    Disguised,
    Public,
}

/// Where `host` (no port, no user) leads.
pub(crate) fn place(host: &str) -> Place {
    let host = host.trim_matches(['[', ']']);
    let lower = host.trim_end_matches('.').to_ascii_lowercase();
    let bare = lower.split('%').next().unwrap_or_default();
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        return of_v6(address);
    }
    if let Some((address, canonical)) = number(&lower) {
        let place = of_v4(address);
        return if place == Place::Public && !canonical { Place::Disguised } else { place };
    }
    named(&lower)
}

fn named(host: &str) -> Place {
    const METADATA: [&str; 6] = [
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "metadata.azure.internal",
        "metadata.tencentyun.com",
        "metadata",
    ];
    if METADATA.iter().any(|name| {
        host == *name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.') && rest.contains("instance"))
    }) {
        return Place::Metadata;
    }
    const ECHOES: [&str; 8] =
        ["nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me", "1u.ms", "rbndr.us"];
    let echo =
        ECHOES.iter().any(|name| host == *name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')));
    if echo {
        return Place::Internal;
    }
    const INSIDE: [&str; 7] = [
        "localhost",
        "localdomain",
        "ip6-localhost",
        "ip6-loopback",
        "kubernetes",
        "kubernetes.default",
        "host.docker.internal",
    ];
    const ZONES: [&str; 7] =
        [".localhost", ".localdomain", ".internal", ".svc", ".svc.cluster.local", ".local", ".intranet"];
    if INSIDE.contains(&host) || ZONES.iter().any(|zone| host.ends_with(zone)) {
        return Place::Internal;
    }
    Place::Public
}

fn of_v6(address: Ipv6Addr) -> Place {
    let segments = address.segments();
    let low = || {
        let [a, b, c, d] =
            [segments[6] >> 8, segments[6] & 255, segments[7] >> 8, segments[7] & 255].map(|part| part as u8);
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Place::Internal,
        // Mapped, compatible, translated (NAT64) forms carry an IPv4 address in their last four bytes.
        [0, 0, 0, 0, 0, 0xffff | 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0x64, 0xff9b, ..] => match of_v4(low()) {
            Place::Public => Place::Disguised,
            other => other,
        },
        [0xfd00, 0xec2, ..] => Place::Metadata,
        [0x2002, high, next, ..] => match of_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(next))) {
            Place::Public => Place::Public,
            other => other,
        },
        [first, ..] if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 => Place::Internal,
        _ => Place::Public,
    }
}

fn of_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        [169, 254, ..] | [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => Place::Metadata,
        [0 | 10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => {
            Place::Internal
        }
        [255, 255, 255, 255] => Place::Internal,
        _ => Place::Public,
    }
}

/// An IPv4 address as `inet_aton` reads it (one to four parts, decimal, octal, hexadecimal), and whether it is the usual
/// four decimal parts.
fn number(host: &str) -> Option<(Ipv4Addr, bool)> {
    if let Ok(IpAddr::V4(address)) = host.parse() {
        return Some((address, true));
    }
    let mut parts = [0_u64; 4];
    let mut count = 0;
    for part in host.split('.') {
        let value = match part.strip_prefix("0x") {
            Some("") => 0,
            Some(digits) => u64::from_str_radix(digits, 16).ok()?,
            None if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) => {
                let octal = part.len() > 1 && part.starts_with('0');
                u64::from_str_radix(part, if octal { 8 } else { 10 }).ok().or_else(|| part.parse().ok())?
            }
            None => return None,
        };
        *parts.get_mut(count)? = value;
        count += 1;
    }
    let (last, leading) = parts.get(..count)?.split_last()?;
    // Resolvers that overflow keep the low bits.
    let mut address = 0_u64;
    for (index, part) in leading.iter().enumerate() {
        address |= (part & 255) << (24 - 8 * index);
    }
    address |= last & (u64::from(u32::MAX) >> (8 * leading.len()));
    Some((Ipv4Addr::from(address as u32), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_metadata_service_in_many_spellings() {
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0xA9.0xFE.0xA9.0xFE",
            "0251.0376.0251.0376",
            "169.254.43518",
            "425.510.425.510",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[0:0:0:0:0:ffff:a9fe:a9fe]",
            "[fd00:ec2::254]",
            "[64:ff9b::a9fe:a9fe]",
            "metadata.google.internal",
            "Metadata.Google.Internal.",
            "100.100.100.200",
        ] {
            assert_eq!(place(host), Place::Metadata, "{host}");
        }
        for host in [
            "127.1",
            "0",
            "localhost",
            "10.0.0.1",
            "[::1]",
            "[::]",
            "127.0.0.1.nip.io",
            "db.internal",
            "172.16.0.9",
            "192.168.1.1",
        ] {
            assert_eq!(place(host), Place::Internal, "{host}");
        }
        for host in
            ["example.com", "8.8.8.8", "172.32.0.1", "[2001:db8::1]", "face.book", "nip.io.example.com", "1.example"]
        {
            assert_eq!(place(host), Place::Public, "{host}");
        }
        assert_eq!(place("0x08080808"), Place::Disguised);
    }
}
