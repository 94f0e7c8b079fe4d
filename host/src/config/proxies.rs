//! Which peers are the operator's own proxies, and by what they tell of the client.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use anyhow::{Context as _, ensure};
use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

/// By what trusted proxies tell of the client. Nothing else that they send is believed, since most proxies pass on what
/// a client wrote into headers that they do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedBy {
    /// `X-Forwarded-For`, and with it `X-Forwarded-Proto`, `-Host`, `-Port` and `-Prefix`.
    #[default]
    XForwardedFor,
    /// The header of RFC 7239.
    Forwarded,
    /// The header before a connection's first byte, of version 1 or 2.
    ProxyProtocol,
    /// A proxy is a client like any other.
    #[serde(rename = "none")]
    Nothing,
}

impl ForwardedBy {
    const ALL: [Self; 4] = [Self::XForwardedFor, Self::Forwarded, Self::ProxyProtocol, Self::Nothing];

    /// As the configuration has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
            Self::ProxyProtocol => "proxy-protocol",
            Self::Nothing => "none",
        }
    }
}

impl FromStr for ForwardedBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|by| by.as_str() == text);
        named.ok_or_else(|| format!("must be one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// The operator's own proxies.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    trusted: Vec<IpNet>,
    pub by: ForwardedBy,
    /// Whether the operator set `forwarded-by`.
    is_chosen: bool,
}

impl Proxies {
    /// Reads `trusted-proxies` and `forwarded-by`.
    pub fn new(trusted: &[String], by: Option<ForwardedBy>) -> anyhow::Result<Self> {
        let trusted = trusted.iter().map(|text| network(text)).collect::<anyhow::Result<Vec<_>>>()?;
        if let Some(by) = by.filter(|by| *by != ForwardedBy::Nothing) {
            ensure!(
                !trusted.is_empty(),
                "forwarded-by = {:?} believes nobody without trusted-proxies: name the addresses of your proxies there",
                by.as_str()
            );
        }
        Ok(Self { trusted, by: by.unwrap_or_default(), is_chosen: by.is_some() })
    }

    /// Whether an address is one of the proxies'.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.by != ForwardedBy::Nothing && self.trusted.iter().any(|net| net.contains(&address))
    }

    /// What the operator should know at the start.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if !self.trusted.is_empty() && !self.is_chosen {
            advice.push(
                "trusted-proxies is set without forwarded-by: X-Forwarded-For is believed, and Forwarded is not; set \
                 forwarded-by to what your proxies write"
                    .to_owned(),
            );
        }
        if let Some(all) = self.trusted.iter().find(|net| net.prefix_len() == 0) {
            advice.push(format!("trusted-proxies has {all}: every client is believed, and so chooses its own address"));
        }
        advice
    }
}

/// An address, or a network in CIDR notation.
fn network(text: &str) -> anyhow::Result<IpNet> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text
        .parse::<IpNet>()
        .or_else(|_| address())
        .with_context(|| format!("trusted-proxies: {text:?} is neither an address nor a network such as 10.0.0.0/8"))?;
    Ok(canonical(network))
}

/// A network of IPv4 addresses in the form of IPv6 as one of IPv4: peers are compared in that form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let v4 = |address: Ipv4Addr| Ipv4Net::new(address, mapped.prefix_len().checked_sub(96)?).ok();
    mapped.addr().to_ipv4_mapped().and_then(v4).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str], by: Option<ForwardedBy>) -> anyhow::Result<Proxies> {
        Proxies::new(&networks.iter().map(|&text| text.to_owned()).collect::<Vec<_>>(), by)
    }

    #[test]
    fn every_error_names_its_key_and_value() {
        for bad in ["nowhere", "", "10.0.0.0/33", "10.0.0.*", "10.0.0.1:80", " 10.0.0.1", "localhost", "fe80::1%eth0"] {
            let why = format!("{:#}", proxies(&[bad], None).unwrap_err());
            assert!(why.contains("trusted-proxies") && why.contains(&format!("{bad:?}")), "{why}");
        }
        let why = proxies(&[], Some(ForwardedBy::Forwarded)).unwrap_err().to_string();
        assert!(why.contains("forwarded-by") && why.contains("trusted-proxies"), "{why}");
        assert!("X-Forwarded-For".parse::<ForwardedBy>().unwrap_err().contains("x-forwarded-for, forwarded"));
    }

    #[test]
    fn an_address_is_one_in_either_form() {
        let proxies = proxies(&["::ffff:10.0.0.0/104", "192.0.2.1", "2001:db8::/32"], None).unwrap();
        for ours in ["10.9.9.9", "::ffff:10.0.0.1", "::ffff:192.0.2.1", "2001:db8::7"] {
            assert!(proxies.trusts(ours.parse().unwrap()), "{ours}");
        }
        assert!(!proxies.trusts("11.0.0.1".parse().unwrap()));
    }

    #[test]
    fn the_operator_is_told_what_is_believed() {
        let told = |networks: &[&str], by| proxies(networks, by).unwrap().advice().join("\n");
        assert!(told(&["10.0.0.1"], None).contains("without forwarded-by"));
        assert_eq!(told(&["10.0.0.1"], Some(ForwardedBy::XForwardedFor)), "");
        assert_eq!(told(&[], None), "");
        assert!(told(&["0.0.0.0/0"], Some(ForwardedBy::Forwarded)).contains("0.0.0.0/0"));
    }
}
