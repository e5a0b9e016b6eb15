//! A home's network in namespaces of our own: a bridge, a cable to each device, and a default route
//! to nowhere. Cutting a cable sets the *bridge's* end down; the device's end keeps its routes.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The network's prefix; nothing outside it may ever be sent to, but mDNS's own group.
pub const PREFIX: &str = "10.77.0.0/24";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A home's network. It is taken down when it is dropped.
pub struct Lan {
    tag: String,
    cables: Vec<String>,
}

/// What left a device's namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// TCP and UDP packets to anywhere but the network itself and 224.0.0.251:5353.
    pub outside: u64,
    /// Packets to port 53, wherever.
    pub names: u64,
    /// Packets inside the network: that there are some shows that the counters count.
    pub inside: u64,
}

fn ip(args: &str) {
    let out = Command::new("ip").args(args.split_whitespace()).output().expect("ip runs");
    assert!(out.status.success(), "ip {args}: {}", String::from_utf8_lossy(&out.stderr));
}

impl Lan {
    /// Makes the network with no device on it.
    pub fn new() -> Self {
        let tag = format!("mr{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let lan = Self { tag, cables: Vec::new() };
        ip(&format!("netns add {}", lan.hub()));
        ip(&format!("-n {} link add br0 type bridge", lan.hub()));
        ip(&format!("-n {} link set br0 up", lan.hub()));
        lan
    }

    fn hub(&self) -> String {
        format!("{}hub", self.tag)
    }

    /// Puts a device's namespace on the network and returns its name.
    pub fn plug_in(&mut self) -> String {
        let number = self.cables.len() + 1;
        let (name, hub) = (format!("{}d{number}", self.tag), self.hub());
        ip(&format!("netns add {name}"));
        ip(&format!("-n {hub} link add c{number} type veth peer name eth0 netns {name}"));
        ip(&format!("-n {hub} link set c{number} master br0 up"));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} addr add 10.77.0.{number}/24 dev eth0"));
        ip(&format!("-n {name} link set eth0 up"));
        // A default route to nowhere: whatever tried to leave would go this way and be counted.
        ip(&format!("-n {name} route add default via 10.77.0.254"));
        self.cables.push(name.clone());
        watch(&name);
        name
    }

    /// Returns the address of a device's namespace.
    pub fn address(&self, namespace: &str) -> String {
        format!("10.77.0.{}", self.number(namespace))
    }

    fn number(&self, namespace: &str) -> usize {
        1 + self.cables.iter().position(|c| c == namespace).expect("a device of this network")
    }

    /// Cuts the cable of a device.
    pub fn cut(&self, namespace: &str) {
        ip(&format!("-n {} link set c{} down", self.hub(), self.number(namespace)));
    }

    /// Mends it.
    pub fn heal(&self, namespace: &str) {
        ip(&format!("-n {} link set c{} up", self.hub(), self.number(namespace)));
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in self.cables.iter().cloned().chain([self.hub()]) {
            // Best effort on the way out: a left-over namespace holds nothing up.
            drop(Command::new("ip").args(["netns", "del", &name]).output());
        }
    }
}

/// Counts what leaves a namespace. Nothing is dropped: the route leads nowhere anyway, and a
/// program that tries shall be seen to try.
fn watch(namespace: &str) {
    let rules = format!(
        "table inet watch {{
            counter outside {{ }}
            counter names {{ }}
            counter inside {{ }}
            chain out {{
                type filter hook output priority 0; policy accept;
                oifname \"lo\" accept
                udp dport 53 counter name names
                tcp dport 53 counter name names
                ip daddr {PREFIX} counter name inside accept
                ip daddr 224.0.0.251 udp dport 5353 accept
                meta l4proto {{ tcp, udp }} counter name outside
            }}
        }}"
    );
    let mut child = Command::new("ip")
        .args(["netns", "exec", namespace, "nft", "-f", "-"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("nft runs");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), rules.as_bytes())
        .expect("nft reads its rules");
    assert!(child.wait().expect("nft ends").success(), "nft takes the rules");
}

/// Returns what left a namespace so far.
pub fn sent(namespace: &str) -> Sent {
    let count = |name: &str| {
        let out = Command::new("ip")
            .args(["netns", "exec", namespace, "nft", "list", "counter", "inet", "watch", name])
            .output()
            .expect("nft lists");
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let after = text.split("packets").nth(1).expect("a counter");
        after.split_whitespace().next().expect("a number").parse().expect("a number")
    };
    Sent { outside: count("outside"), names: count("names"), inside: count("inside") }
}
